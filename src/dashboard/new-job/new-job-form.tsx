import { useComputed, useSignal } from '@preact/signals';
import { LonghaulError } from '@longhaul/client';
import { useMemo, useRef } from 'preact/hooks';
import { messageOf, query } from '../app/api.ts';
import { counted } from '../app/counted.ts';
import { isJsonRecord, jsonText } from '../app/json-values.ts';
import { mutate } from '../app/mutate.ts';
import { notify } from '../app/notices.tsx';
import { useRequestKeys } from '../app/use-request-keys.ts';
import { fromHere, href } from '../app/router.ts';
import { zone } from '../app/time.tsx';
import { controlOf } from '../form/controls.ts';
import { type Draft, type DraftIssue, draftOf, unhidden, valueOf } from '../form/drafts.ts';
import { SchemaForm } from '../form/schema-form.tsx';
import { CreateThisJobDocument, type ReadTypesQuery, RevealInputToRepeatDocument } from '../generated/new-job.ts';
import { Button } from '../ui/button.tsx';
import { focusFirstWrong } from '../ui/focus.ts';
import { Tabs } from '../ui/tabs.tsx';
import type { Beginning } from './beginning.ts';
import { askedBy } from './job-options.ts';
import { OptionsForm } from './job-options-form.tsx';

type JobType = ReadTypesQuery['jobTypes'][number];

const views = [
  { name: 'form', text: 'Form' },
  { name: 'json', text: 'JSON' },
] as const;

/** The input by the type's schema, or as JSON; what else a job is given; and its creation. */
export function NewJobForm({ type, beginning }: { type: JobType; beginning: Beginning }) {
  const control = useMemo(() => controlOf(type.inputSchema), [type]);
  const draft = useSignal<Draft>(useMemo(() => draftOf(control, beginning.input), []));
  const options = useSignal(beginning.options);
  const issues = useSignal<readonly DraftIssue[]>([]);
  const problem = useSignal<string | null>(null);
  const busy = useSignal(false);
  const sending = useSignal<ReadonlySet<string>>(new Set());
  const keyFor = useRequestKeys();
  const frame = useRef<HTMLFormElement>(null);
  const view = useComputed(() => (draft.value.kind === 'json' ? 'json' : 'form'));

  const choose = (name: (typeof views)[number]['name']) => {
    if (name === view.value) return;
    const found: DraftIssue[] = [];
    const value = valueOf(control, draft.value, true, ['input'], found);
    issues.value = [];
    if (name === 'json') draft.value = { kind: 'json', text: jsonText(value ?? {}) };
    else if (value === undefined) issues.value = found;
    else draft.value = draftOf(control, value);
  };
  const create = async (event: Event) => {
    event.preventDefault();
    if (busy.value || sending.value.size > 0) return undefined;
    const found: DraftIssue[] = [];
    const input = valueOf(control, draft.value, true, ['input'], found);
    const asked = askedBy(options.value, zone.value === 'UTC', found);
    issues.value = found;
    problem.value = null;
    if (found.length > 0) return showFirst(frame.current);
    busy.value = true;
    const onward = fromHere();
    const content = { ...asked, type: type.name, input: isJsonRecord(input) ? input : {} };
    try {
      const { job, warnings } = await mutate(CreateThisJobDocument, { input: { ...content, idempotencyKey: keyFor(content) } });
      for (const { message } of warnings) notify(message, { kind: 'failed' });
      if (!onward(['jobs', job.id])) notify('The job was created.', { link: { label: 'Show', href: href(['jobs', job.id]) } });
    } catch (error) {
      problem.value = messageOf(error);
      issues.value = error instanceof LonghaulError ? error.issues : [];
      showFirst(frame.current);
    }
    busy.value = false;
    return undefined;
  };
  const reveal = async () => {
    try {
      const { revealInput } = await query(RevealInputToRepeatDocument, { id: beginning.from ?? '' });
      draft.value = unhidden(control, draft.value, revealInput ?? undefined);
    } catch (error) {
      notify(messageOf(error), { kind: 'failed' });
    }
  };
  const context = {
    issues: issues.value,
    reveal: beginning.from === null ? null : () => void reveal(),
    uploading: (path: readonly string[], isSending: boolean) => {
      const next = new Set(sending.value);
      if (isSending) next.add(path.join('/'));
      else next.delete(path.join('/'));
      sending.value = next;
    },
  };
  return (
    <form class="new-form" ref={frame} noValidate onSubmit={(event) => void create(event)}>
      <Notes type={type} />
      {beginning.from !== null && (
        <p class="soft">
          Filled in as <a href={href(['jobs', beginning.from])}>the job before</a>, which stays as it is.
        </p>
      )}
      <Tabs label="Input" tabs={views} chosen={view.value} choose={choose}>
        <SchemaForm control={control} draft={draft.value} change={(next) => (draft.value = next)} context={context} />
      </Tabs>
      <details class="new-more" open={issues.value.some(({ path }) => path[0] !== 'input') || beginning.from !== null}>
        <summary>Tags, priority, time, webhook</summary>
        <OptionsForm options={options.value} change={(next) => (options.value = next)} issues={issues.value} />
      </details>
      {(problem.value !== null || issues.value.length > 0) && <Problems message={problem.value} issues={issues.value} />}
      <div class="row">
        <Button type="submit" primary busy={busy.value} disabled={sending.value.size > 0}>
          Create job
        </Button>
        <span class="soft">
          {sending.value.size > 0 ? 'A file is being sent.' : `Costs ${counted(type.credits, 'credit')}.`}
        </span>
      </div>
    </form>
  );
}

/** What keeps jobs of the type waiting. */
function Notes({ type: { paused, liveWorkers, name } }: { type: JobType }) {
  if (paused) return <p class="warning">Jobs of {name} wait: the type is paused.</p>;
  if (liveWorkers === 0) return <p class="warning">No worker takes {name} now. The job waits until one does.</p>;
  return null;
}

function Problems({ message, issues }: { message: string | null; issues: readonly DraftIssue[] }) {
  return (
    <div class="new-problems" role="alert">
      <p>{issues.length === 0 ? message : issues.length === 1 ? 'One thing is not right yet:' : `${counted(issues.length, 'thing')} are not right yet:`}</p>
      {issues.length > 0 && (
        <ul>
          {issues.map(({ path, message: what }) => (
            <li key={`${path.join('/')} ${what}`}>
              <code>{path.join('.')}</code> {what}
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}

/** Puts the focus on the first field that is not right. */
function showFirst(form: HTMLFormElement | null): void {
  // After the fields know.
  requestAnimationFrame(() => focusFirstWrong(form));
}
