import { useSignal } from '@preact/signals';
import { Button } from './button.tsx';

/** Of a longer text so much is shown at first: forty attempts that fail with a page each would leave no room for anything else. */
const shownAtFirst = 240;

/** What somebody else wrote, of any length. */
export function LongText({ text }: { text: string }) {
  const whole = useSignal(false);
  if (text.length <= shownAtFirst) return <>{text}</>;
  return (
    <>
      {whole.value ? text : `${text.slice(0, shownAtFirst)}…`}{' '}
      <Button quiet pressed={whole.value} onClick={() => (whole.value = !whole.value)}>
        Show all
      </Button>
    </>
  );
}
