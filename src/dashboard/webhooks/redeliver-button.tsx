import { mutate } from '../app/mutate.ts';
import { notify } from '../app/notices.tsx';
import { type ListedDeliveryFragment, SendDeliveryAgainDocument } from '../generated/webhooks.ts';
import { ActButton } from '../ui/act-button.tsx';

/** Sends a delivery again. */
export function RedeliverButton({ delivery: { id, url }, done }: { delivery: ListedDeliveryFragment; done: () => Promise<void> }) {
  const redeliver = async () => {
    await mutate(SendDeliveryAgainDocument, { input: { id } });
    notify('It is sent again.');
    await done();
  };
  return (
    <ActButton act={redeliver} label={`Redeliver to ${url}`}>
      Redeliver
    </ActButton>
  );
}
