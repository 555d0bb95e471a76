import { useSignal } from '@preact/signals';
import { useEffect, useMemo } from 'preact/hooks';
import { messageOf } from '../app/api.ts';
import { announce, notify } from '../app/notice.tsx';
import type { BulkProgressFragment, JobFilter } from '../generated/jobs.ts';
import { Bar } from '../ui/bar.tsx';
import { Button } from '../ui/button.tsx';
import { Dialog } from '../ui/dialog.tsx';
import { Field } from '../ui/field.tsx';
import { type BulkKind, bulkKinds, countJobs, reached, RunningBulk } from './running-bulk.ts';

/** Above so many jobs the deed has to be typed. */
const typedAbove = 100;

interface BulkDialogProps {
  kind: BulkKind;
  /** The jobs that were chosen. */
  filter: JobFilter;
  onClose: () => void;
  /** Told when it has ended, also after it was closed. */
  onEnd: () => void;
}

/** Says how many jobs it would be done to, asks, and shows how far it is. */
export function BulkDialog({ kind, filter, onClose, onEnd }: BulkDialogProps) {
  const { verb, explains } = bulkKinds[kind];
  const asked = useMemo(() => reached(kind, filter), [kind, filter]);
  const counted = useSignal<{ value: number; exact: boolean } | null>(null);
  const failure = useSignal<string | null>(null);
  const typed = useSignal('');
  const reason = useSignal('');
  const starting = useSignal(false);
  const bulk = useMemo(() => new RunningBulk(), []);
  useEffect(() => {
    if (asked === null) counted.value = { value: 0, exact: true };
    else countJobs(asked).then((count) => (counted.value = count), (error: unknown) => (failure.value = messageOf(error)));
  }, [asked]);

  const start = async (event: Event) => {
    event.preventDefault();
    if (!ready || asked === null) return;
    starting.value = true;
    const started = await bulk.start(kind, asked, kind === 'CANCEL' ? reason.value.trim() : '');
    starting.value = false;
    if (!started) return;
    await bulk.follow();
    tell(kind, bulk.progress.value);
    onEnd();
  };
  const count = counted.value;
  const many = count !== null && (count.value > typedAbove || !count.exact);
  const ready = count !== null && count.value > 0 && (!many || typed.value.trim().toLowerCase() === verb.toLowerCase());
  const running = bulk.progress.value;
  const problem = bulk.problem.value ?? failure.value;
  return (
    <Dialog
      title={`${verb} jobs`}
      onClose={onClose}
      footer={
        running === null ? (
          <>
            <Button onClick={onClose}>Keep them</Button>
            <Button primary danger={kind !== 'RETRY'} busy={starting.value} disabled={!ready} onClick={(event) => void start(event)}>
              {count === null ? verb : `${verb} ${amount(count)}`}
            </Button>
          </>
        ) : (
          <>
            {running.status === 'RUNNING' && <Button onClick={() => void bulk.stop()}>Stop</Button>}
            <Button primary onClick={onClose}>
              Close
            </Button>
          </>
        )
      }
    >
      {running === null ? (
        <form class="bulk-form" onSubmit={(event) => void start(event)}>
          <p aria-live="polite">{count === null ? 'Counting…' : count.value === 0 ? noneText(kind) : `${amount(count)} would be ${bulkKinds[kind].done}.`}</p>
          <p class="soft">{explains}</p>
          {kind === 'CANCEL' && (
            <Field label="Reason (optional)">
              {(field) => <input {...field} maxLength={1_000} value={reason.value} onInput={({ currentTarget }) => (reason.value = currentTarget.value)} />}
            </Field>
          )}
          {many && (
            <Field label={`These are many. Type ${verb.toLowerCase()} to go on`}>
              {(field) => <input {...field} autocomplete="off" value={typed.value} onInput={({ currentTarget }) => (typed.value = currentTarget.value)} />}
            </Field>
          )}
        </form>
      ) : (
        <BulkState kind={kind} action={running} />
      )}
      {problem !== null && (
        <p class="problem" role="alert">
          {problem}
        </p>
      )}
    </Dialog>
  );
}

function BulkState({ kind, action }: { kind: BulkKind; action: BulkProgressFragment }) {
  const { status, seen, done, total, refusals, error } = action;
  const percentage = status === 'COMPLETED' ? 100 : total.exact && total.value > 0 ? Math.min(100, (100 * seen) / total.value) : null;
  return (
    <>
      <Bar percentage={percentage} label={`${bulkKinds[kind].verb}: ${stateText(status)}`} />
      <p>
        {stateText(status)}: {done.toLocaleString('en')} {bulkKinds[kind].done}, {seen.toLocaleString('en')} of {total.exact ? '' : 'more than '}
        {total.value.toLocaleString('en')} looked at.
      </p>
      {refusals.length > 0 && <p>Not done: {refusals.map(({ code, count }) => `${count.toLocaleString('en')} ${code}`).join(', ')}.</p>}
      {error !== null && <p class="problem">{error.message}</p>}
      {status === 'RUNNING' && <p class="soft">It goes on when this is closed.</p>}
    </>
  );
}

function stateText(status: BulkProgressFragment['status']): string {
  return { RUNNING: 'Under way', COMPLETED: 'Finished', STOPPED: 'Stopped', FAILED: 'It cannot go on' }[status];
}

function tell(kind: BulkKind, action: BulkProgressFragment | null): void {
  if (action === null) return;
  const text = `${stateText(action.status)}: ${action.done.toLocaleString('en')} ${action.done === 1 ? 'job' : 'jobs'} ${bulkKinds[kind].done}.`;
  announce(text);
  notify(text, { kind: action.status === 'FAILED' ? 'failed' : 'done' });
}

function amount({ value, exact }: { value: number; exact: boolean }): string {
  return `${exact ? '' : 'more than '}${value.toLocaleString('en')} ${value === 1 && exact ? 'job' : 'jobs'}`;
}

function noneText(kind: BulkKind): string {
  return { CANCEL: 'None of these jobs waits or runs.', RETRY: 'None of these jobs failed or was cancelled.', DELETE: 'None of these jobs has ended.' }[kind];
}
