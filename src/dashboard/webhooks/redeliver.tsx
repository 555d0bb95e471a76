import { useSignal } from '@preact/signals';
import { messageOf } from '../app/api.ts';
import { mutate } from '../app/mutate.ts';
import { notify } from '../app/notice.tsx';
import { type ListedDeliveryFragment, SendDeliveryAgainDocument } from '../generated/webhooks.ts';
import { Button } from '../ui/button.tsx';

/** Sends a delivery again. */
export function Redeliver({ delivery: { id, url }, done }: { delivery: ListedDeliveryFragment; done: () => Promise<void> }) {
  const busy = useSignal(false);
  const press = async () => {
    busy.value = true;
    try {
      await mutate(SendDeliveryAgainDocument, { input: { id } });
      notify('It is sent again.');
      await done();
    } catch (error) {
      notify(messageOf(error), { kind: 'failed' });
    }
    busy.value = false;
  };
  return (
    <Button busy={busy.value} label={`Redeliver to ${url}`} onClick={() => void press()}>
      Redeliver
    </Button>
  );
}
