import { mutate } from '../app/mutate.ts';
import { notify } from '../app/notices.tsx';
import { href } from '../app/router.ts';
import { ChangeScheduleDocument, type ListedScheduleFragment, RunScheduleDocument } from '../generated/schedules.ts';
import { ActButton } from '../ui/act-button.tsx';

/** Pauses or resumes a schedule, and creates its job now. */
export function ScheduleActions({ schedule: { id, name, paused }, done }: { schedule: ListedScheduleFragment; done: () => Promise<void> }) {
  const pause = async () => {
    await mutate(ChangeScheduleDocument, { input: { id, paused: !paused } });
    notify(paused ? `${name} goes on.` : `${name} is paused.`);
    await done();
  };
  const trigger = async () => {
    const { job } = await mutate(RunScheduleDocument, { input: { id } });
    notify(`${name} created a job.`, { link: { label: 'Show', href: href(['jobs', job.id]) } });
    await done();
  };
  return (
    <span class="row-actions">
      <ActButton label={`Run now: ${name}`} act={trigger}>
        Run now
      </ActButton>
      <ActButton label={`${paused ? 'Resume' : 'Pause'} ${name}`} act={pause}>
        {paused ? 'Resume' : 'Pause'}
      </ActButton>
    </span>
  );
}
