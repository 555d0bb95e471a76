import { mutate } from '../app/mutate.ts';
import { notify } from '../app/notices.tsx';
import { StopBulkActionDocument } from '../generated/bulk.ts';
import { ActButton } from '../ui/act-button.tsx';

/** Stops a bulk action. */
export function StopButton({ id, done }: { id: string; done: () => Promise<void> }) {
  const stop = async () => {
    await mutate(StopBulkActionDocument, { input: { id } });
    notify('It was stopped. What was done stays done.');
    await done();
  };
  return <ActButton act={stop}>Stop</ActButton>;
}
