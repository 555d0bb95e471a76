import type { BulkAction } from '../../jobs/bulk/bulk-action.ts';
import type { BulkActionKind, BulkActionStatus } from '../../jobs/bulk/entities.ts';
import { builder, globalIdDescription } from '../builder.ts';
import { toGlobalId } from '../global-id.ts';
import { JobCountType } from './job-connection.ts';
import { JobErrorType } from './job-error.ts';

export const BulkActionKindType = builder.enumType('BulkActionKind', {
  description: 'What is done to each job.',
  values: {
    CANCEL: { description: 'Cancels jobs that have not ended.' },
    RETRY: { description: 'Creates a new job from each that FAILED or was CANCELLED, and charges for it.' },
    DELETE: { description: 'Removes jobs that have ended, with all that hangs on them but the ledger.' },
  } satisfies Record<BulkActionKind, { description: string }>,
});

const BulkActionStatusType = builder.enumType('BulkActionStatus', {
  description: 'How far an action is.',
  values: {
    RUNNING: { description: 'It is carried out.' },
    COMPLETED: { description: 'It has looked at all jobs that it was for.' },
    STOPPED: { description: 'Somebody has stopped it. What was done stays done.' },
    FAILED: { description: 'It cannot go on, for example because its workspace has no credits for retries: error says why.' },
  } satisfies Record<BulkActionStatus, { description: string }>,
});

const BulkRefusalType = builder.objectRef<{ code: string; count: number }>('BulkRefusal').implement({
  description: 'Jobs that an action was not done to.',
  fields: (t) => ({
    code: t.exposeString('code', { nullable: false, description: 'As in an error. The README lists the codes.' }),
    count: t.exposeInt('count', { nullable: false, description: 'How many jobs.' }),
  }),
});

export const BulkActionType = builder.objectRef<BulkAction>('BulkAction');

builder.objectType(BulkActionType, {
  description: 'One thing done to many jobs, by the server, in small steps: it goes on when the process that carries it out dies.',
  interfaces: [builder.nodeInterfaceRef()],
  fields: (t) => ({
    id: t.id({ nullable: false, description: globalIdDescription, resolve: ({ id }) => toGlobalId('BulkAction', id) }),
    kind: t.expose('kind', { type: BulkActionKindType, nullable: false, description: 'What is done to each job.' }),
    status: t.expose('status', { type: BulkActionStatusType, nullable: false, description: 'How far it is.' }),
    filter: t.expose('filter', { type: 'JSONObject', nullable: false, description: 'Which jobs, as it was asked for.' }),
    reason: t.exposeString('reason', { description: "The cancelled jobs' cancelReason." }),
    error: t.expose('error', { type: JobErrorType, nullable: true, description: 'Why it FAILED.' }),
    total: t.expose('total', {
      type: JobCountType,
      nullable: false,
      description: 'How many jobs the filter matched when it started, counted up to 100,000. 0 and not exact where counting would have taken too long.',
    }),
    seen: t.exposeInt('seen', { nullable: false, description: 'Jobs looked at so far. It reaches the jobs that existed when it started.' }),
    done: t.exposeInt('done', { nullable: false, description: 'Jobs that it was done to so far.' }),
    refusals: t.field({
      type: [BulkRefusalType],
      nullable: false,
      description: 'Of those that it was not done to, how many for which code, for example ALREADY_FINISHED. In order of the codes.',
      resolve: ({ refused }) =>
        Object.entries(refused)
          .map(([code, count]) => ({ code, count }))
          .toSorted((one, other) => one.code.localeCompare(other.code)),
    }),
    createdAt: t.expose('createdAt', { type: 'DateTime', nullable: false, description: 'When it started.' }),
    finishedAt: t.expose('finishedAt', { type: 'DateTime', nullable: true, description: 'When it became COMPLETED, STOPPED or FAILED.' }),
  }),
});

export const BulkActionConnection = builder.connectionObject(
  { type: BulkActionType, name: 'BulkActionConnection', description: 'A page of bulk actions.' },
  { name: 'BulkActionEdge', description: 'A bulk action and its place in the list.' },
);
