import { useSignal } from '@preact/signals';
import { messageOf } from '../app/api.ts';
import { mutate } from '../app/mutate.ts';
import { notify } from '../app/notice.tsx';
import { href } from '../app/router.ts';
import { ChangeScheduleDocument, type ListedScheduleFragment, RunScheduleDocument } from '../generated/schedules.ts';
import { Button } from '../ui/button.tsx';

/** Pauses or resumes a schedule, and creates its job now. */
export function ScheduleActions({ schedule: { id, name, paused }, done }: { schedule: ListedScheduleFragment; done: () => Promise<void> }) {
  const busy = useSignal(false);
  const act = async (what: () => Promise<void>) => {
    busy.value = true;
    try {
      await what();
      await done();
    } catch (error) {
      notify(messageOf(error), { kind: 'failed' });
    }
    busy.value = false;
  };
  const pause = () =>
    act(async () => {
      await mutate(ChangeScheduleDocument, { input: { id, paused: !paused } });
      notify(paused ? `${name} goes on.` : `${name} is paused.`);
    });
  const trigger = () =>
    act(async () => {
      const { job } = await mutate(RunScheduleDocument, { input: { id } });
      notify(`${name} created a job.`, { link: { label: 'Show', href: href(['jobs', job.id]) } });
    });
  return (
    <span class="row-actions">
      <Button label={`Run now: ${name}`} busy={busy.value} onClick={() => void trigger()}>
        Run now
      </Button>
      <Button label={`${paused ? 'Resume' : 'Pause'} ${name}`} busy={busy.value} onClick={() => void pause()}>
        {paused ? 'Resume' : 'Pause'}
      </Button>
    </span>
  );
}
