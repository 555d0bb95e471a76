import { useSignal } from '@preact/signals';
import { useEffect, useMemo } from 'preact/hooks';
import { messageOf } from '../app/api.ts';
import { type Count, counted } from '../app/counted.ts';
import { notify } from '../app/notices.tsx';
import { useRequestKeys } from '../app/use-request-keys.ts';
import type { BulkActionKind, JobFilter, ListedBulkActionFragment, StartBulkActionInput } from '../generated/bulk.ts';
import { Bar } from '../ui/bar.tsx';
import { Button } from '../ui/button.tsx';
import { Dialog } from '../ui/dialog.tsx';
import { Field } from '../ui/field.tsx';
import { FormDialog } from '../ui/form-dialog.tsx';
import { bulkKinds, bulkStates, doneText, percentageOf, seenText } from './bulk-words.ts';
import { countJobs, reached, RunningBulk } from './running-bulk.ts';

/** Above so many jobs the deed has to be typed. */
const typedAbove = 100;

interface BulkDialogProps {
  kind: BulkActionKind;
  /** The jobs that were chosen. */
  filter: JobFilter;
  onClose: () => void;
  /** Told when it has ended, also after it was closed. */
  onEnd: () => void;
}

/** Says how many jobs it would be done to, asks, and shows how far it is. */
export function BulkDialog({ kind, filter, onClose, onEnd }: BulkDialogProps) {
  const bulk = useMemo(() => new RunningBulk(), []);
  const follow = async () => {
    await bulk.follow();
    tell(bulk.action.value);
    onEnd();
  };
  const start = async (input: StartBulkActionInput) => {
    await bulk.start(input);
    void follow();
  };
  if (bulk.action.value === null) return <Question kind={kind} filter={filter} start={start} onClose={onClose} />;
  return <Progress bulk={bulk} action={bulk.action.value} onClose={onClose} />;
}

interface QuestionProps {
  kind: BulkActionKind;
  filter: JobFilter;
  start: (input: StartBulkActionInput) => Promise<void>;
  onClose: () => void;
}

function Question({ kind, filter, start, onClose }: QuestionProps) {
  const { verb, done, explains, none } = bulkKinds[kind];
  const asked = useMemo(() => reached(kind, filter), [kind, filter]);
  const count = useSignal<Count | null>(null);
  const problem = useSignal<string | null>(null);
  const typed = useSignal('');
  const reason = useSignal('');
  const keyFor = useRequestKeys();
  useEffect(() => {
    if (asked === null) count.value = { value: 0, exact: true };
    else countJobs(asked).then((found) => (count.value = found), (error: unknown) => (problem.value = messageOf(error)));
  }, [asked]);

  const submit = async () => {
    if (asked === null) return;
    const why = kind === 'CANCEL' ? reason.value.trim() : '';
    const content = { kind, filter: asked, ...(why === '' ? {} : { reason: why }) };
    await start({ ...content, idempotencyKey: keyFor(content) });
  };
  const { value: found } = count;
  const many = found !== null && (found.value > typedAbove || !found.exact);
  const ready = found !== null && found.value > 0 && (!many || typed.value.trim().toLowerCase() === verb.toLowerCase());
  return (
    <FormDialog
      title={`${verb} jobs`}
      action={found === null ? verb : `${verb} ${counted(found, 'job')}`}
      dismissal="Keep them"
      danger={kind !== 'RETRY'}
      ready={ready}
      submit={submit}
      // How far it is is shown in its place.
      onDone={() => {}}
      onClose={onClose}
    >
      {() => (
        <>
          <p aria-live="polite">{found === null ? (problem.value ?? 'Counting…') : found.value === 0 ? none : `${counted(found, 'job')} would be ${done}.`}</p>
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
        </>
      )}
    </FormDialog>
  );
}

function Progress({ bulk, action, onClose }: { bulk: RunningBulk; action: ListedBulkActionFragment; onClose: () => void }) {
  const { kind, status, refusals, error } = action;
  const { word } = bulkStates[status];
  const problem = bulk.problem.value;
  return (
    <Dialog
      title={`${bulkKinds[kind].verb} jobs`}
      onClose={onClose}
      footer={
        <>
          {status === 'RUNNING' && <Button onClick={() => void bulk.stop()}>Stop</Button>}
          <Button primary onClick={onClose}>
            Close
          </Button>
        </>
      }
    >
      <Bar percentage={percentageOf(action)} label={`${bulkKinds[kind].verb}: ${word}`} />
      <p>
        {word}: {doneText(action)}, {seenText(action)}.
      </p>
      {refusals.length > 0 && <p>Not done: {refusals.map(({ code, count }) => `${count.toLocaleString('en')} ${code}`).join(', ')}.</p>}
      {error !== null && <p class="problem">{error.message}</p>}
      {status === 'RUNNING' && <p class="soft">It goes on when this is closed.</p>}
      {problem !== null && (
        <p class="problem" role="alert">
          {problem}
        </p>
      )}
    </Dialog>
  );
}

function tell(action: ListedBulkActionFragment | null): void {
  if (action === null) return;
  notify(`${bulkStates[action.status].word}: ${counted(action.done, 'job')} ${bulkKinds[action.kind].done}.`, { kind: action.status === 'FAILED' ? 'failed' : 'done' });
}
