import { useSignal } from '@preact/signals';
import { Button } from './button.tsx';

/** Reads the screen again by hand. What reads by itself does not show here: the button would flicker. */
export function RefreshButton({ reload }: { reload: () => Promise<void> }) {
  const busy = useSignal(false);
  const press = async () => {
    busy.value = true;
    await reload();
    busy.value = false;
  };
  return (
    <Button busy={busy.value} onClick={() => void press()}>
      Refresh
    </Button>
  );
}
