import type { ComponentChildren } from 'preact';
import { setting } from '../app/settings.ts';
import { Duration, Time, useNow } from '../app/time.tsx';
import type { ListedJobFragment } from '../generated/jobs.ts';
import { Badge, StatusBadge } from '../ui/badge.tsx';
import { Bar, percentText } from '../ui/bar.tsx';

type Job = ListedJobFragment;

/** What may be shown of each job. */
export interface JobColumn {
  name: string;
  title: string;
  /** `number` right-aligns; `wide` takes what room there is. */
  kind: 'text' | 'number' | 'wide';
  cell: (job: Job) => ComponentChildren;
}

export const allColumns: readonly JobColumn[] = [
  { name: 'status', title: 'Status', kind: 'text', cell: ({ status }) => <StatusBadge status={status} /> },
  { name: 'type', title: 'Type', kind: 'text', cell: ({ type }) => <Short text={type} /> },
  { name: 'progress', title: 'Progress', kind: 'wide', cell: (job) => <Progress job={job} /> },
  { name: 'tags', title: 'Tags', kind: 'text', cell: ({ tags }) => <Tags tags={tags} /> },
  { name: 'attempt', title: 'Attempt', kind: 'number', cell: attempt },
  { name: 'created', title: 'Created', kind: 'text', cell: ({ createdAt }) => <Time at={createdAt} /> },
  { name: 'duration', title: 'Duration', kind: 'number', cell: (job) => <Duration from={job.startedAt} to={job.status === 'PENDING' ? job.startedAt : job.finishedAt} /> },
  { name: 'started', title: 'Started', kind: 'text', cell: ({ startedAt }) => <Time at={startedAt} /> },
  { name: 'finished', title: 'Finished', kind: 'text', cell: ({ finishedAt }) => <Time at={finishedAt} /> },
  { name: 'updated', title: 'Changed', kind: 'text', cell: ({ updatedAt }) => <Time at={updatedAt} /> },
  { name: 'due', title: 'Due', kind: 'text', cell: ({ nextAttemptAt, runAt }) => <Time at={nextAttemptAt ?? runAt} /> },
  { name: 'priority', title: 'Priority', kind: 'number', cell: ({ priority }) => priority },
  { name: 'worker', title: 'Worker', kind: 'text', cell: ({ attempts }) => <Short text={attempts.at(-1)?.workerId ?? null} /> },
  { name: 'error', title: 'Error', kind: 'text', cell: ({ error }) => error?.code ?? none },
  { name: 'dialect', title: 'Dialect', kind: 'text', cell: ({ dialect }) => dialect },
  { name: 'reference', title: 'Reference', kind: 'text', cell: ({ clientReference }) => <Short text={clientReference} /> },
  { name: 'id', title: 'Id', kind: 'text', cell: ({ id }) => <span class="mono">{id}</span> },
];

const none = <span class="soft none">–</span>;

const atFirst: readonly string[] = ['status', 'type', 'progress', 'tags', 'attempt', 'created', 'duration'];

/** Of a name of somebody else's, which may be long: it must not push the other columns out of sight. */
function Short({ text }: { text: string | null }) {
  return text === null ? none : <span class="cell-text" title={text}>{text}</span>;
}

/** The names of the columns that are shown. They stand in the order of the list above, the status always. */
export const chosenColumns = setting<readonly string[]>('jobs.columns', atFirst, (stored) =>
  Array.isArray(stored) ? allColumns.map(({ name }) => name).filter((name) => stored.includes(name)) : null,
);

export function toggleColumn(name: string): void {
  const { value } = chosenColumns;
  const next = allColumns.map((column) => column.name).filter((one) => (one === name ? !value.includes(one) : value.includes(one)));
  chosenColumns.value = next.join() === atFirst.join() ? atFirst : next;
}

function attempt({ attempts, maxAttempts }: Job): ComponentChildren {
  const last = attempts.at(-1);
  return last === undefined ? none : `${last.number} of ${maxAttempts}`;
}

/** How far it is, what it waits for, or why it ended. */
function Progress({ job }: { job: Job }) {
  const { status, progress, error } = job;
  if (status === 'FAILED') return <span title={error?.message}>{error === null ? none : `${error.code}: ${error.message}`}</span>;
  if (status === 'CANCELLED') return <span class="soft">{job.cancelReason ?? ''}</span>;
  if (status !== 'RUNNING') return <span class="soft">{status === 'PENDING' && <Waiting job={job} />}</span>;
  const text = progress?.message ?? progress?.step ?? '';
  const percentage = progress?.percentage ?? null;
  return (
    <span class="progress">
      <Bar percentage={percentage} label={text === '' ? 'Progress' : text} />
      <span class="percent">{percentage === null ? '' : percentText(percentage)}</span>
      <span class="clip" title={text}>
        {text}
      </span>
    </span>
  );
}

/** Until when; nothing once only a worker is missing. */
function Waiting({ job: { nextAttemptAt, runAt } }: { job: Job }) {
  const now = useNow();
  const due = nextAttemptAt ?? runAt;
  if (due === null || Date.parse(due) <= now) return null;
  return <>{nextAttemptAt === null ? 'Starts' : 'Next attempt'} <Time at={due} relative /></>;
}

function Tags({ tags }: { tags: readonly string[] }) {
  return (
    <span class="tags" title={tags.join('\n')}>
      {tags.slice(0, 3).map((tag) => (
        <Badge key={tag}>{tag}</Badge>
      ))}
      {tags.length > 3 && <span class="soft">+{tags.length - 3}</span>}
    </span>
  );
}
