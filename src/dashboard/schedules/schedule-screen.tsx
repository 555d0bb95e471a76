import { useSignal } from '@preact/signals';
import { useQuery } from '../app/use-query.ts';
import { mutate } from '../app/mutate.ts';
import { notify } from '../app/notices.tsx';
import { useRefresh } from '../app/use-refresh.ts';
import { fromHere, href } from '../app/router.ts';
import { can } from '../app/session.ts';
import { Duration, Time } from '../app/time.tsx';
import { OneScheduleDocument, type OneScheduleQuery, RemoveScheduleDocument, type WholeScheduleFragment } from '../generated/schedules.ts';
import { Answer } from '../ui/answer.tsx';
import { StatusBadge } from '../ui/badge.tsx';
import { Button } from '../ui/button.tsx';
import { Confirm } from '../ui/confirm.tsx';
import { CopyButton } from '../ui/copy.tsx';
import { Empty } from '../ui/empty.tsx';
import { Facts } from '../ui/facts.tsx';
import { ScreenFrame } from '../ui/screen-frame.tsx';
import { RefreshButton } from '../ui/refresh-button.tsx';
import { type Column, Table } from '../ui/table.tsx';
import { ScheduleActions } from './schedule-actions.tsx';
import { ScheduleForm } from './schedule-form.tsx';
import { ScheduleState } from './schedule-state.tsx';

type Shown = Extract<NonNullable<OneScheduleQuery['node']>, { kind: 'Schedule' }>;
type CreatedJob = Shown['jobs']['edges'][number]['node'];

/** One schedule: what it creates, when, and what became of its last jobs. */
export function Screen({ parts: [id = ''] }: { parts: readonly string[] }) {
  const { loaded, reload } = useQuery(OneScheduleDocument, { id });
  // As the list of them.
  useRefresh(reload, 15);
  const found = loaded.data?.node;
  const schedule = found?.kind === 'Schedule' ? found : null;
  return (
    <ScreenFrame title={schedule?.name ?? 'Schedule'} actions={<RefreshButton reload={reload} />}>
      <Answer loaded={loaded} reload={reload}>
        {() =>
          schedule === null ? (
            <Empty title="There is no such schedule">
              <p>It was deleted, or belongs to another workspace.</p>
              <a href={href(['schedules'])}>All schedules</a>
            </Empty>
          ) : (
            <Whole schedule={schedule} reload={reload} />
          )
        }
      </Answer>
    </ScreenFrame>
  );
}

const columns: readonly Column<CreatedJob>[] = [
  { name: 'Status', cell: ({ status }) => <StatusBadge status={status} /> },
  { name: 'Created', cell: ({ id, createdAt }) => <a href={href(['jobs', id])}><Time at={createdAt} /></a> },
  { name: 'Duration', kind: 'number', cell: ({ startedAt, finishedAt }) => <Duration from={startedAt} to={finishedAt} /> },
  { name: 'Error', kind: 'wide', cell: ({ error }) => (error === null ? null : <span title={error.message}>{error.code}: {error.message}</span>) },
];

function Whole({ schedule, reload }: { schedule: Shown; reload: () => Promise<void> }) {
  const changing = useSignal(false);
  const removing = useSignal(false);
  const { id, name, lastError, jobs } = schedule;
  const remove = async () => {
    const onward = fromHere();
    await mutate(RemoveScheduleDocument, { input: { id } });
    notify(`${name} was deleted.`);
    onward(['schedules']);
  };
  const input = JSON.stringify(schedule.input, null, 2);
  return (
    <>
      {can('WRITE') && (
        <div class="row">
          <ScheduleActions schedule={schedule} done={reload} />
          <Button onClick={() => (changing.value = true)}>Change</Button>
          <Button danger onClick={() => (removing.value = true)}>
            Delete
          </Button>
        </div>
      )}
      {lastError !== null && <p class={lastError.code === 'OVERLAP' ? 'soft' : 'warning'}>The last occurrence created no job. {lastError.message}</p>}
      <Facts facts={factsOf(schedule)} />
      <section class="part">
        <div class="row">
          <h2>Input of its jobs</h2>
          <CopyButton text={input} label="Copy the input" />
        </div>
        <pre class="raw" tabIndex={0}>
          {input}
        </pre>
      </section>
      <section class="part">
        <div class="row">
          <h2 class="grow">
            Last jobs
          </h2>
          {jobs.edges.length > 0 && <a href={href(['jobs'], { schedule: id })}>All of its jobs</a>}
        </div>
        {jobs.edges.length === 0 ? <p class="soft">It has created none yet.</p> : <Table caption="Last jobs" columns={columns} rows={jobs.edges.map(({ node }) => node)} keyOf={(job) => job.id} />}
      </section>
      {changing.value && <ScheduleForm schedule={schedule} done={reload} onClose={() => (changing.value = false)} />}
      {removing.value && (
        <Confirm title={`Delete ${name}?`} action="Delete schedule" danger confirm={remove} onClose={() => (removing.value = false)}>
          <p>It creates no more jobs. Those that it has created stay.</p>
        </Confirm>
      )}
    </>
  );
}

function factsOf(schedule: WholeScheduleFragment) {
  const { type, cron, timeZone, overlap, nextRunAt, lastRunAt, priority, maxAttempts, tags, webhookUrl, concurrencyKey, concurrencyLimit, createdAt } = schedule;
  const some = [
    { name: 'State', value: <ScheduleState schedule={schedule} /> },
    { name: 'Type', value: <a href={href(['types'], { show: type })}>{type}</a> },
    { name: 'Cron', value: <code>{cron}</code> },
    { name: 'Time zone', value: timeZone },
    { name: 'Next occurrence', value: <Time at={nextRunAt} /> },
    { name: 'Last occurrence', value: <Time at={lastRunAt} /> },
    { name: 'While its last job runs', value: overlap === 'SKIP' ? 'Occurrences are skipped' : 'Another job is created' },
    { name: 'Created', value: <Time at={createdAt} /> },
    { name: 'Priority', value: priority === 0 ? null : `${priority} min` },
    { name: 'Failed attempts allowed', value: maxAttempts },
    { name: 'Tags', value: tags.length === 0 ? null : tags.join(', ') },
    { name: 'Webhook', value: webhookUrl },
    { name: 'Concurrency key', value: concurrencyKey === null ? null : `${concurrencyKey}, ${concurrencyLimit ?? 1} at once` },
  ];
  return some.filter(({ value }) => value !== null);
}
