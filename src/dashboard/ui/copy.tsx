import { useSignal } from '@preact/signals';
import { notify } from '../app/notices.tsx';

/**
 * Puts a text into the clipboard.
 *
 * @param label what it copies, in words: `Copy id`
 * @param word what is on the button
 */
export function CopyButton({ text, label = 'Copy', word = 'Copy' }: { text: string; label?: string; word?: string }) {
  const done = useSignal(false);
  const copy = async () => {
    if (!(await copyText(text))) return;
    done.value = true;
    setTimeout(() => (done.value = false), 1_500);
  };
  return (
    <button type="button" class="button quiet copy" aria-label={label} title={label} onClick={() => void copy()}>
      {done.value ? 'Copied' : word}
    </button>
  );
}

/** Whether it is in the clipboard now; where not, it was said why. */
export async function copyText(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    notify('The browser does not let this page copy. Pages need https or localhost for that: select the text and copy it by hand.', { kind: 'failed' });
    return false;
  }
}
