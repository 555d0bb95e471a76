import { brandWithType } from '@pothos/core';
import { LonghaulError } from '../../errors.ts';
import { findArtifactOf } from '../../files/artifacts.ts';
import { findDelivery } from '../../webhooks/deliveries.ts';
import { findAuditEntry } from '../../workspaces/audit/list.ts';
import { findApiKey, findCreditTransaction, findWorkspace } from '../../workspaces/find.ts';
import { builder } from '../builder.ts';
import { type NodeType, parseGlobalId } from '../global-id.ts';
import { ApiKeyType } from '../types/api-key.ts';
import { ArtifactType } from '../types/artifact.ts';
import { AuditEntryType } from '../types/audit-entry.ts';
import { BulkActionType } from '../types/bulk-action.ts';
import { CreditTransactionType } from '../types/credit-transaction.ts';
import { JobType } from '../types/job.ts';
import { ScheduleType } from '../types/schedule.ts';
import { UploadType } from '../types/upload.ts';
import { WebhookDeliveryType } from '../types/webhook-delivery.ts';
import { WorkerType } from '../types/worker.ts';
import { WorkspaceType } from '../types/workspace.ts';
import { findVisibleJob, type Seen } from './visible-job.ts';
import { findVisibleUpload } from './visible-upload.ts';

builder.queryFields((t) => ({
  node: t.withAuth({ anyOf: ['READ'] }).field({
    type: builder.nodeInterfaceRef(),
    nullable: true,
    description: 'The object with this id; null if the caller may not see one, or the id is malformed.',
    args: { id: t.arg.id({ required: true, description: 'A global id.' }) },
    resolve: (_root, { id }, context) => findNode(context, id),
  }),
  nodes: t.withAuth({ anyOf: ['READ'] }).field({
    type: [builder.nodeInterfaceRef()],
    nullable: { list: false, items: true },
    description: 'The objects with these ids, in the same order, null where there is none. At most 100.',
    complexity: ({ ids }) => ({ field: 1, multiplier: ids.length }),
    args: { ids: t.arg.idList({ required: true, description: 'Global ids, at most 100.' }) },
    resolve: (_root, { ids }, context) => {
      if (ids.length > 100) throw new LonghaulError('BAD_USER_INPUT', `nodes takes at most 100 ids, got ${ids.length}.`);
      return findNodes(context, ids);
    },
  }),
}));

const nodeTypes = {
  Job: JobType,
  Workspace: WorkspaceType,
  CreditTransaction: CreditTransactionType,
  WebhookDelivery: WebhookDeliveryType,
  ApiKey: ApiKeyType,
  Worker: WorkerType,
  AuditEntry: AuditEntryType,
  BulkAction: BulkActionType,
  Schedule: ScheduleType,
  Artifact: ArtifactType,
  Upload: UploadType,
} satisfies Record<NodeType, unknown>;

async function findNode(context: Seen, globalId: string): Promise<object | null> {
  const id = parseGlobalId(globalId);
  if (id === null) return null;
  const node = await load(context, id.type, id.uuid);
  if (node !== null) brandWithType(node, nodeTypes[id.type]);
  return node;
}

/** Reads jobs in one statement and other nodes one by one. */
function findNodes(context: Seen, ids: readonly string[]): Promise<(object | null)[]> {
  return Promise.all(ids.map((id) => findNode(context, id)));
}

async function load(context: Seen, type: NodeType, id: string): Promise<object | null> {
  const { viewer, database, jobs } = context;
  // An access token opens only jobs, their files, and its own uploads.
  if (viewer.restriction !== null && type !== 'Job' && type !== 'Artifact' && type !== 'Upload') return null;
  switch (type) {
    case 'Job':
      return findVisibleJob(context, id);
    case 'Artifact': {
      const artifact = await findArtifactOf(database.em(), viewer.workspaceId, id);
      return artifact !== null && (await findVisibleJob(context, artifact.jobId)) !== null ? artifact : null;
    }
    case 'Workspace':
      // Administrators see every workspace.
      return id === viewer.workspaceId || viewer.scopes.has('ADMIN') ? findWorkspace(database.em(), id) : null;
    case 'CreditTransaction':
      return findCreditTransaction(database.em(), viewer.workspaceId, id);
    case 'WebhookDelivery':
      return findDelivery(database.em(), viewer.workspaceId, id);
    case 'ApiKey':
      return viewer.scopes.has('ADMIN') ? findApiKey(database.em(), id) : null;
    case 'AuditEntry':
      return viewer.scopes.has('ADMIN') ? findAuditEntry(database.reads, id) : null;
    case 'Schedule':
      return context.loaders.schedules.load({ workspaceId: viewer.workspaceId, id });
    case 'Worker':
      return jobs.workers.find(viewer.workspaceId, id);
    case 'Upload':
      return findVisibleUpload(context, id);
    case 'BulkAction':
      return jobs.bulk.find(viewer.workspaceId, id);
  }
}

