import { signal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { useNewest } from './use-newest.ts';

/** Something that a key does. */
interface Shortcut {
  /** As `KeyboardEvent.key` says it: `j`, `Enter`, `?`; `Shift+ArrowDown`; two after each other: `g j`. */
  keys: string;
  /** What it does, for the list that `?` shows: `Next job`. */
  label: string;
  run: (event: KeyboardEvent) => void;
}

/** All that are in force, newest group last. */
export const shortcuts = signal<readonly { group: string; entries: readonly Shortcut[] }[]>([]);

/**
 * Puts shortcuts in force while the component is there. They rest while one types, and while a dialog is open.
 *
 * @param group a heading in the list: `List`
 */
export function useShortcuts(group: string, entries: readonly Shortcut[]): void {
  const newest = useNewest(entries);
  const names = entries.map(({ keys }) => keys).join('\n');
  useEffect(() => {
    const registered = {
      group,
      // Each runs what its name stands for at the moment of the key, so that a render changes nothing here.
      entries: newest.current.map(({ keys, label }) => ({
        keys,
        label,
        run: (event: KeyboardEvent) => newest.current.find((entry) => entry.keys === keys)?.run(event),
      })),
    };
    shortcuts.value = [...shortcuts.value, registered];
    return () => {
      shortcuts.value = shortcuts.value.filter((other) => other !== registered);
    };
  }, [group, names]);
}

/** How long the second key of two may come after the first, in milliseconds. */
const pairWithin = 1_500;

let first = { key: '', at: 0 };

addEventListener('keydown', (event) => {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  if (isTyping(event.target) || document.querySelector('dialog[open]') !== null) return;
  // A letter's shift is in the letter already, as is a sign's.
  const key = event.shiftKey && event.key.length > 1 ? `Shift+${event.key}` : event.key;
  const pair = event.timeStamp - first.at < pairWithin ? `${first.key} ${key}` : key;
  const found = find(pair) ?? find(key);
  first = found === null ? { key, at: event.timeStamp } : { key: '', at: 0 };
  if (found === null) return;
  event.preventDefault();
  found.run(event);
});

/** What came last wins: a screen's over the shell's. */
function find(keys: string): Shortcut | null {
  for (const { entries } of shortcuts.value.toReversed()) {
    const found = entries.find((entry) => entry.keys === keys);
    if (found !== undefined) return found;
  }
  return null;
}

function isTyping(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  if (target.isContentEditable || target instanceof HTMLTextAreaElement || target instanceof HTMLSelectElement) return true;
  return target instanceof HTMLInputElement && target.type !== 'checkbox' && target.type !== 'radio';
}
