import { listAuditEntries } from '../../workspaces/audit/list.ts';
import { listApiKeys, listCreditTransactions } from '../../workspaces/find.ts';
import type { Worker } from '../../jobs/workers/list.ts';
import type { Workspace } from '../../workspaces/workspace.ts';
import { listWorkspaceDeliveries } from '../../webhooks/deliveries.ts';
import { builder, globalIdDescription } from '../builder.ts';
import { pageCost, readPage } from '../connection.ts';
import { toGlobalId } from '../global-id.ts';
import { ApiKeyConnection, ApiKeyType } from './api-key.ts';
import { AuditEntryConnection, AuditEntryType } from './audit-entry.ts';
import { BulkActionConnection, BulkActionType } from './bulk-action.ts';
import { CreditTransactionConnection, CreditTransactionType } from './credit-transaction.ts';
import { JobCountsType } from './job-counts.ts';
import { statisticsCost, StatisticsPointType, StatisticsStepType } from './statistics.ts';
import { ScheduleConnection, ScheduleType } from './schedule.ts';
import { WebhookDeliveryConnection, WebhookDeliveryStatusType, WebhookDeliveryType } from './webhook-delivery.ts';
import { WorkerConnection, WorkerType } from './worker.ts';

export const WorkspaceType = builder.objectRef<Workspace>('Workspace');

const keyThatReads = { anyOf: ['READ', 'ADMIN'], key: true } as const;

builder.objectType(WorkspaceType, {
  description: 'A tenant. Jobs, keys and credits belong to one workspace and cannot be seen from another.',
  interfaces: [builder.nodeInterfaceRef()],
  // Every caller reads the id and name of its own: see Viewer.
  authScopes: { $all: keyThatReads },
  fields: (t) => ({
    id: t.id({
      skipTypeScopes: true,
      nullable: false,
      description: globalIdDescription,
      resolve: ({ id }) => toGlobalId('Workspace', id),
    }),
    name: t.exposeString('name', { skipTypeScopes: true, nullable: false, description: '1 to 200 characters.' }),
    credits: t.expose('credits', {
      type: 'BigInt',
      skipTypeScopes: true,
      authScopes: { $any: { creates: true, $all: keyThatReads } },
      nullable: false,
      description: 'The balance: the sum of creditTransactions.',
    }),
    concurrencyLimit: t.exposeInt('concurrencyLimit', {
      description: 'How many jobs of this workspace may run at once; null means unlimited.',
    }),
    paused: t.exposeBoolean('paused', { nullable: false, description: 'Whether its jobs wait.' }),
    apiKeys: t.connection(
      {
        type: ApiKeyType,
        nullable: false,
        description: 'ADMIN. Oldest first.',
        authScopes: { anyOf: ['ADMIN'] },
        complexity: pageCost,
        resolve: ({ id }, args, { database, cursors }, info) =>
          readPage({ cursors, list: `keys ${id}`, order: 'ASC', args, info }, (window) => listApiKeys(database.em(), id, window)),
      },
      ApiKeyConnection,
    ),
    creditTransactions: t.connection(
      {
        type: CreditTransactionType,
        nullable: false,
        description: 'The ledger, newest first.',
        complexity: pageCost,
        resolve: ({ id }, args, { database, cursors }, info) =>
          readPage({ cursors, list: `credits ${id}`, order: 'DESC', args, info }, (window) =>
            listCreditTransactions(database.em(), id, window),
          ),
      },
      CreditTransactionConnection,
    ),
    webhookDeliveries: t.connection(
      {
        type: WebhookDeliveryType,
        nullable: false,
        description: 'READ. The deliveries of its jobs, newest first. Those of another workspace are FORBIDDEN, also for administrators.',
        authScopes: ({ id }, _args, { viewer }) => (viewer?.workspaceId === id ? { anyOf: ['READ'] } : false),
        complexity: pageCost,
        args: {
          statuses: t.arg({ type: [WebhookDeliveryStatusType], description: 'Only those with one of these statuses. Default: all.' }),
        },
        resolve: ({ id }, { statuses, ...args }, { database, cursors }, info) =>
          readPage({ cursors, list: `deliveries of ${id}`, order: 'DESC', args, info }, (window) =>
            listWorkspaceDeliveries(database.em(), id, statuses ?? null, window),
          ),
      },
      WebhookDeliveryConnection,
    ),
    jobCounts: t.field({
      type: JobCountsType,
      nullable: false,
      description: 'How many of its jobs wait, run and have ended.',
      resolve: ({ id }, _args, { jobs }) => jobs.counting.byStatus(id),
    }),
    statistics: t.field({
      type: [StatisticsPointType],
      nullable: false,
      description:
        'One point for each step of the range, empty ones included, oldest first. More than 1,000 are BAD_USER_INPUT. Minutes ' +
        'are kept for 2 days, hours for 60 days, days for 2 years.',
      complexity: statisticsCost,
      args: {
        from: t.arg({ type: 'DateTime', required: true, description: 'The first point is that of the step that this is in.' }),
        to: t.arg({ type: 'DateTime', description: 'Exclusive. Default: now.' }),
        step: t.arg({ type: StatisticsStepType, required: true, defaultValue: 'HOUR', description: 'What one point is of.' }),
        types: t.arg.stringList({ description: 'Only jobs of these types, at most 100. Default: all.' }),
      },
      resolve: ({ id }, asked, { jobs }) => jobs.statistics(id, asked),
    }),
    schedules: t.connection(
      {
        type: ScheduleType,
        nullable: false,
        description: 'READ. What creates jobs here again and again, oldest first. Those of another workspace are FORBIDDEN, also for administrators.',
        authScopes: ({ id }, _args, { viewer }) => (viewer?.workspaceId === id ? { anyOf: ['READ'] } : false),
        complexity: pageCost,
        resolve: ({ id }, args, { jobs, cursors }, info) =>
          readPage({ cursors, list: `schedules ${id}`, order: 'ASC', args, info }, (window) => jobs.schedules.list(id, window)),
      },
      ScheduleConnection,
    ),
    workers: t.connection(
      {
        type: WorkerType,
        nullable: false,
        description: 'Processes that claim with a key of this workspace; of `default` also those with WORK_ALL and built-in workers. Seen last first.',
        complexity: pageCost,
        args: { alive: t.arg.boolean({ description: 'Only those that are alive, or only the others. Default: both.' }) },
        resolve: ({ id }, { alive, ...args }, { jobs, cursors }, info) =>
          readPage({ cursors, list: `workers ${id}`, order: 'DESC', args, info, placeOf: ({ place }: Worker) => place }, (window) =>
            jobs.workers.list(id, alive ?? null, window),
          ),
      },
      WorkerConnection,
    ),
    auditEntries: t.connection(
      {
        type: AuditEntryType,
        nullable: false,
        description: 'ADMIN. What was done here with keys, or refused, apart from the daily work with jobs. Newest first.',
        authScopes: { anyOf: ['ADMIN'] },
        complexity: pageCost,
        args: { actions: t.arg.stringList({ description: 'Only entries of these actions, at most 100. Default: all.' }) },
        resolve: ({ id }, { actions, ...args }, { database, cursors }, info) =>
          readPage({ cursors, list: `audit ${id}`, order: 'DESC', args, info }, (window) =>
            listAuditEntries(database.reads, id, { actions }, window),
          ),
      },
      AuditEntryConnection,
    ),
    bulkActions: t.connection(
      {
        type: BulkActionType,
        nullable: false,
        description: 'READ. What was done to many of its jobs at once, newest first. Those of another workspace are FORBIDDEN, also for administrators.',
        authScopes: ({ id }, _args, { viewer }) => (viewer?.workspaceId === id ? { anyOf: ['READ'] } : false),
        complexity: pageCost,
        resolve: ({ id }, args, { jobs, cursors }, info) =>
          readPage({ cursors, list: `bulk actions of ${id}`, order: 'DESC', args, info }, (window) => jobs.bulk.list(id, window)),
      },
      BulkActionConnection,
    ),
  }),
});

export const WorkspaceConnection = builder.connectionObject(
  { type: WorkspaceType, name: 'WorkspaceConnection', description: 'A page of workspaces.' },
  { name: 'WorkspaceEdge', description: 'A workspace and its place in the list.' },
);
