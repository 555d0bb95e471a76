import { createdAtOf } from '../../database/ids.ts';
import type { ScheduleOverlap } from '../../jobs/schedules/entities.ts';
import type { Schedule } from '../../jobs/schedules/schedule.ts';
import { shownInput } from '../../jobs/types/hiding.ts';
import { builder, globalIdDescription } from '../builder.ts';
import { pageCost } from '../connection.ts';
import { toGlobalId } from '../global-id.ts';
import { JobConnection, readJobs } from './job-connection.ts';
import { JobErrorType } from './job-error.ts';
import { JobType } from './job.ts';

export const ScheduleOverlapType = builder.enumType('ScheduleOverlap', {
  description: 'What an occurrence does while the job of the one before has not ended.',
  values: {
    ALLOW: { description: 'Another job, whatever became of the last one.' },
    SKIP: { description: 'None while the last one has not ended.' },
  } satisfies Record<ScheduleOverlap, { description: string }>,
});

export const ScheduleType = builder.objectRef<Schedule>('Schedule');

builder.objectType(ScheduleType, {
  description: 'Creates jobs again and again.',
  interfaces: [builder.nodeInterfaceRef()],
  fields: (t) => ({
    id: t.id({ nullable: false, description: globalIdDescription, resolve: ({ id }) => toGlobalId('Schedule', id) }),
    name: t.exposeString('name', { nullable: false, description: 'Unique in the workspace.' }),
    cron: t.exposeString('cron', { nullable: false, description: 'Five fields, or six with seconds first.' }),
    timeZone: t.exposeString('timeZone', {
      nullable: false,
      description:
        'IANA name. An occurrence at a fixed hour that a clock change skips comes right after it; one that it repeats comes once, ' +
        'the first time. Where the hour is a wildcard or a step, its hours come as often as the clock of the zone shows them: one that is ' +
        'skipped not at all, one that is repeated twice.',
    }),
    type: t.exposeString('type', { nullable: false, description: 'Name of a job type: see `jobTypes`.' }),
    input: t.field({
      type: 'JSONObject',
      nullable: false,
      description: 'Of each of its jobs, as are the fields below it. What its type marks x-secret is •••.',
      resolve: (schedule, _args, { jobs }) => shownInput(jobs.types.get(schedule.type), schedule.input),
    }),
    tags: t.exposeStringList('tags', { nullable: false, description: 'At most 20, each of 1 to 100 characters.' }),
    priority: t.exposeInt('priority', { nullable: false, description: 'Minutes of head start, -100 to 100.' }),
    overlap: t.expose('overlap', { type: ScheduleOverlapType, nullable: false, description: 'What happens while its last job has not ended.' }),
    webhookUrl: t.expose('webhookUrl', { type: 'URL', nullable: true, description: 'Where the end of each job is reported.' }),
    maxAttempts: t.exposeInt('maxAttempts', { nullable: true, description: "1 to 100; null for the type's own." }),
    concurrencyKey: t.exposeString('concurrencyKey', { nullable: true, description: 'As in CreateJobInput.' }),
    concurrencyLimit: t.exposeInt('concurrencyLimit', { nullable: true, description: 'As in CreateJobInput.' }),
    paused: t.exposeBoolean('paused', { nullable: false, description: 'Whether it has no occurrences. Those that it missed are not made up for.' }),
    nextRunAt: t.expose('nextRunAt', { type: 'DateTime', nullable: true, description: 'The next occurrence. Null while paused.' }),
    lastRunAt: t.expose('lastRunAt', {
      type: 'DateTime',
      nullable: true,
      description: 'The last occurrence that came, whether it created a job or not; null before the first.',
    }),
    lastError: t.expose('lastError', {
      type: JobErrorType,
      nullable: true,
      description:
        'Why the last occurrence created no job, for example INSUFFICIENT_CREDITS, or OVERLAP where overlap is SKIP and the job ' +
        'before had not ended; null where it did.',
    }),
    jobs: t.connection(
      {
        type: JobType,
        nullable: false,
        description: 'READ. The jobs that it created, newest first.',
        authScopes: { anyOf: ['READ'] },
        complexity: pageCost,
        resolve: ({ id }, args, context, info) => readJobs(context, { list: `schedule ${id}`, order: 'DESC', filter: { scheduleIds: [id] }, args, info }),
      },
      JobConnection,
    ),
    createdAt: t.field({ type: 'DateTime', nullable: false, description: 'When it was created.', resolve: ({ id }) => createdAtOf(id) }),
  }),
});

export const ScheduleConnection = builder.connectionObject(
  { type: ScheduleType, name: 'ScheduleConnection', description: 'A page of schedules.' },
  { name: 'ScheduleEdge', description: 'A schedule and its place in the list.' },
);

// Apart from the other fields of Job, because a schedule needs their type.
builder.objectField(JobType, 'schedule', (t) =>
  t.field({
    type: ScheduleType,
    nullable: true,
    description: 'The schedule that created it; null once that is deleted, for a retry, and for a job of another workspace. An access token cannot read it.',
    // Its webhook URL may contain a secret of its creator.
    authScopes: { key: true },
    resolve: ({ scheduleId: id, workspaceId }, _args, { loaders, viewer }) =>
      id === null || viewer?.workspaceId !== workspaceId ? null : loaders.schedules.load({ workspaceId, id }),
  }),
);
