import { brandWithType } from '@pothos/core';
import { LonghaulError, NotFoundError } from '../errors.ts';
import type { Job } from '../jobs/model/job.ts';
import type { JobFilter } from '../jobs/read/list.ts';
import { findDelivery } from '../webhooks/deliveries.ts';
import { unauthenticated } from '../workspaces/authenticate.ts';
import { findApiKey, findCreditTransaction, findWorkspace, listWorkspaces } from '../workspaces/find.ts';
import { maySee, type Viewer, visible } from '../workspaces/viewer.ts';
import { builder } from './builder.ts';
import { type Connection, countCost, pageCost, readPage } from './connection.ts';
import type { GraphQLContext } from './context.ts';
import { type NodeType, parseGlobalId, parseId } from './global-id.ts';
import { JobFilterInput, JobOrderType } from './inputs.ts';
import { ApiKeyType } from './types/api-key.ts';
import { CreditTransactionType } from './types/credit-transaction.ts';
import { JobType } from './types/job.ts';
import { JobTypeType } from './types/job-type.ts';
import { WebhookDeliveryType } from './types/webhook-delivery.ts';
import { WorkspaceConnection, WorkspaceType } from './types/workspace.ts';
import { encodeUpdateCursor } from './update-cursor.ts';

type Seen = GraphQLContext & { viewer: Viewer };

/** A page of jobs, and what it takes to count the whole list. */
type JobPage = Connection<Job> & { workspaceId: string; filter: JobFilter };

const JobConnection = builder.connectionObject(
  {
    type: JobType,
    name: 'JobConnection',
    description: 'A page of jobs.',
    fields: (t) => ({
      totalCount: t.int({
        nullable: false,
        description: 'Jobs that the filter leaves, in all. Counted only when selected.',
        complexity: countCost,
        resolve: (page, _args, { jobs }) => {
          const { workspaceId, filter } = counted(page);
          return jobs.count(workspaceId, filter);
        },
      }),
    }),
  },
  { name: 'JobEdge', description: 'A job and its place in the list.' },
);

builder.queryType({
  description: 'Everything that can be read. Needs a key with the READ scope, unless said otherwise.',
  fields: (t) => ({
    node: t.withAuth({ anyOf: ['READ'] }).field({
      type: builder.nodeInterfaceRef(),
      nullable: true,
      description: 'Whatever has this id; null where it names nothing that the caller may see, whatever its form.',
      args: { id: t.arg.id({ required: true, description: 'A global id.' }) },
      resolve: (_root, { id }, context) => findNode(context, id),
    }),
    nodes: t.withAuth({ anyOf: ['READ'] }).field({
      type: [builder.nodeInterfaceRef()],
      nullable: { list: false, items: true },
      description: 'Whatever has these ids, in their order, null where one names nothing. At most 100.',
      complexity: ({ ids }) => ({ field: 1, multiplier: ids.length }),
      args: { ids: t.arg.idList({ required: true, description: 'Global ids, at most 100.' }) },
      resolve: (_root, { ids }, context) => {
        if (ids.length > 100) throw new LonghaulError('BAD_USER_INPUT', `nodes takes at most 100 ids, got ${ids.length}.`);
        return findNodes(context, ids);
      },
    }),
    workspace: t.withAuth({ $all: { anyOf: ['READ'], key: true } }).field({
      type: WorkspaceType,
      nullable: false,
      description: "The workspace that the caller's key belongs to.",
      resolve: async (_root, _args, { database, viewer }) => {
        const workspace = await findWorkspace(database, viewer.workspaceId);
        if (workspace === null) throw new NotFoundError('Workspace');
        return workspace;
      },
    }),
    job: t.withAuth({ anyOf: ['READ'] }).field({
      type: JobType,
      nullable: true,
      description: 'One job; null where the id names nothing that the caller may see, whatever its form.',
      args: { id: t.arg.id({ required: true, description: "The job's global id or plain UUID." }) },
      resolve: (_root, { id }, context) => {
        const uuid = parseId('Job', id);
        return uuid === null ? null : findVisibleJob(context, uuid);
      },
    }),
    jobs: t.connection(
      {
        type: JobType,
        authScopes: { anyOf: ['READ'] },
        complexity: pageCost,
        nullable: false,
        description: 'Keyset pagination. first and last: 1 to 100, 20 where neither is given.',
        args: {
          filter: t.arg({ type: JobFilterInput, description: 'Which jobs; all where not given.' }),
          order: t.arg({ type: JobOrderType, defaultValue: 'DESC', description: 'By creation.' }),
        },
        resolve: async (_root, { filter, order, ...args }, { jobs, cursors, viewer }): Promise<JobPage> => {
          // `t.withAuth` would say that there is a viewer, but does not go together with a connection of our own.
          if (viewer === null) throw unauthenticated();
          const { workspaceId } = viewer;
          const page = readPage(cursors, 'jobs', args, order ?? 'DESC');
          const seen = visible(viewer, filter ?? {});
          const found = await jobs.list(workspaceId, seen, page.window);
          return { ...page.toConnection(found), workspaceId, filter: seen };
        },
      },
      JobConnection,
    ),
    jobUpdatesCursor: t.withAuth({ anyOf: ['READ'] }).field({
      type: 'String',
      nullable: false,
      description:
        'Where the changes of the workspace are now: ask for it, then read what there is, then give it to jobUpdates as ' +
        '`after`, and nothing falls in between. Good for seven days.',
      resolve: async (_root, _args, { jobs, cursors, viewer }) =>
        encodeUpdateCursor(cursors, viewer.workspaceId, { from: await jobs.presentMoment() }),
    }),
    jobTypes: t.withAuth({ anyOf: ['READ'] }).field({
      type: [JobTypeType],
      nullable: false,
      description: 'The kinds of job that can be created.',
      resolve: (_root, _args, { jobs }) => jobs.types.all(),
    }),
    workspaces: t.connection(
      {
        type: WorkspaceType,
        authScopes: { anyOf: ['ADMIN'] },
        complexity: pageCost,
        nullable: false,
        description: 'ADMIN. Every workspace, oldest first.',
        resolve: async (_root, args, { database, cursors }) => {
          const page = readPage(cursors, 'workspaces', args, 'ASC');
          return page.toConnection(await listWorkspaces(database, page.window));
        },
      },
      WorkspaceConnection,
    ),
  }),
});

/** The connection that `jobs` resolved to: Pothos hands it on unchanged, without saying so in its type. */
function counted(page: object): JobPage {
  if (isJobPage(page)) return page;
  throw new Error('a page of jobs came without its filter');
}

function isJobPage(page: object): page is JobPage {
  return 'workspaceId' in page && 'filter' in page;
}

const nodeTypes = {
  Job: JobType,
  Workspace: WorkspaceType,
  CreditTransaction: CreditTransactionType,
  WebhookDelivery: WebhookDeliveryType,
  ApiKey: ApiKeyType,
} satisfies Record<NodeType, unknown>;

async function findNode(context: Seen, globalId: string): Promise<object | null> {
  const id = parseGlobalId(globalId);
  if (id === null) return null;
  const node = await load(context, id.type, id.uuid);
  if (node !== null) brandWithType(node, nodeTypes[id.type]);
  return node;
}

/** Jobs come in one statement; what else there may be, one by one. */
function findNodes(context: Seen, ids: readonly string[]): Promise<(object | null)[]> {
  return Promise.all(ids.map((id) => findNode(context, id)));
}

async function findVisibleJob({ jobs, viewer }: Seen, id: string): Promise<Job | null> {
  const job = await jobs.find(viewer.workspaceId, id);
  return job !== null && maySee(viewer, job) ? job : null;
}

async function load(context: Seen, type: NodeType, id: string): Promise<object | null> {
  const { viewer, database } = context;
  // A token opens jobs and nothing else.
  if (viewer.restriction !== null && type !== 'Job') return null;
  switch (type) {
    case 'Job':
      return findVisibleJob(context, id);
    case 'Workspace':
      // Administrators see them all.
      return id === viewer.workspaceId || viewer.scopes.has('ADMIN') ? findWorkspace(database, id) : null;
    case 'CreditTransaction':
      return findCreditTransaction(database, viewer.workspaceId, id);
    case 'WebhookDelivery':
      return findDelivery(database, viewer.workspaceId, id);
    case 'ApiKey':
      return viewer.scopes.has('ADMIN') ? findApiKey(database, id) : null;
  }
}

