import { globalPrefix } from '../files/uploads/reference.ts';
import { NotFoundError } from '../errors.ts';
import type { Jobs } from '../jobs/jobs.ts';
import type { IdForm } from '../jobs/read/job-ids.ts';
import type { WorkspaceScope } from '../jobs/model/workspace-scope.ts';

/** The types that have global ids, each with its prefix. */
const prefixes = {
  Job: 'job_',
  Workspace: 'ws_',
  CreditTransaction: 'credit_',
  WebhookDelivery: 'delivery_',
  ApiKey: 'key_',
  Worker: 'worker_',
  AuditEntry: 'audit_',
  BulkAction: 'bulk_',
  Schedule: 'schedule_',
  Artifact: 'artifact_',
  Upload: globalPrefix,
} as const;

export type NodeType = keyof typeof prefixes;

const types = Object.keys(prefixes).filter((name): name is NodeType => name in prefixes);
const uuidForm = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** Clients treat it as opaque. It is the same in every query, mutation and subscription. */
export function toGlobalId(type: NodeType, uuid: string): string {
  return prefixes[type] + uuid;
}

/** Null if it is not a global id. */
export function parseGlobalId(id: string): { type: NodeType; uuid: string } | null {
  const type = types.find((name) => id.startsWith(prefixes[name]));
  if (type === undefined) return null;
  const uuid = id.slice(prefixes[type].length);
  return uuidForm.test(uuid) ? { type, uuid } : null;
}

/** Takes a global id of this type or a plain UUID, and returns the UUID; null for anything else. */
export function parseId(type: NodeType, id: string): string | null {
  const lower = id.toLowerCase();
  if (uuidForm.test(lower)) return lower;
  const parsed = parseGlobalId(id);
  return parsed?.type === type ? parsed.uuid : null;
}

/** Names of the types in error messages. */
const nouns: Record<NodeType, string> = {
  Job: 'Job',
  Workspace: 'Workspace',
  CreditTransaction: 'Credit transaction',
  WebhookDelivery: 'Webhook delivery',
  ApiKey: 'API key',
  Worker: 'Worker',
  AuditEntry: 'Audit entry',
  BulkAction: 'Bulk action',
  Schedule: 'Schedule',
  Artifact: 'Artifact',
  Upload: 'Upload',
};

/** Like `parseId`, but throws NotFoundError instead of returning null. */
export function requireId(type: NodeType, id: string): string {
  const uuid = parseId(type, id);
  if (uuid === null) throw new NotFoundError(nouns[type]);
  return uuid;
}

/** Global ids of jobs. Every surface takes them. */
export const globalJobIds: IdForm = {
  uuidIn(id) {
    const parsed = parseGlobalId(id);
    return parsed?.type === 'Job' ? parsed.uuid : null;
  },
};

/** The UUID of the job that a global id, a UUID or a vendor's id names. Throws NotFoundError if it can name none. */
export async function requireJobId({ ids }: Pick<Jobs, 'ids'>, scope: WorkspaceScope, id: string): Promise<string> {
  const uuid = await ids.uuidOf(scope, id);
  if (uuid === null) throw new NotFoundError(nouns.Job);
  return uuid;
}
