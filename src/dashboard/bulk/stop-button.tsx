import { useSignal } from '@preact/signals';
import { messageOf } from '../app/api.ts';
import { mutate } from '../app/mutate.ts';
import { notify } from '../app/notice.tsx';
import { HaltBulkActionDocument } from '../generated/bulk.ts';
import { Button } from '../ui/button.tsx';

/** Stops a bulk action. */
export function StopButton({ id, done }: { id: string; done: () => Promise<void> }) {
  const busy = useSignal(false);
  const stop = async () => {
    busy.value = true;
    try {
      await mutate(HaltBulkActionDocument, { input: { id } });
      notify('It was stopped. What was done stays done.');
      await done();
    } catch (error) {
      notify(messageOf(error), { kind: 'failed' });
    }
    busy.value = false;
  };
  return (
    <Button busy={busy.value} onClick={() => void stop()}>
      Stop
    </Button>
  );
}
