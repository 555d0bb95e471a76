import { mutate } from '../app/mutate.ts';
import { notify } from '../app/notices.tsx';
import { type ListedTypeFragment, PauseTypeDocument } from '../generated/types.ts';
import { Confirm } from '../ui/confirm.tsx';

/** Asks before a type is paused or goes on, which reaches every workspace. */
export function PauseQuestion({ type: { name, paused }, done, onClose }: { type: ListedTypeFragment; done: () => Promise<void>; onClose: () => void }) {
  const change = async () => {
    await mutate(PauseTypeDocument, { input: { name, paused: !paused } });
    await done();
    notify(paused ? `${name} goes on.` : `${name} is paused.`);
  };
  return (
    <Confirm title={paused ? `Resume ${name}?` : `Pause ${name}?`} action={paused ? 'Resume' : 'Pause'} confirm={change} onClose={onClose}>
      <p>{paused ? 'Its jobs start again, in every workspace.' : 'Its jobs wait, in every workspace, until it is resumed. What runs goes on, and new jobs are still accepted.'}</p>
    </Confirm>
  );
}
