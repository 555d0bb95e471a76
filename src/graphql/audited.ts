import type { AuditAction } from '../workspaces/audit/record.ts';
import type { AuditTargetType } from '../workspaces/audit/entities.ts';
import type { Viewer } from '../workspaces/viewer.ts';
import type { ErrorCode } from '../errors.ts';
import { parseGlobalId } from './global-id.ts';
import type { AuditTrail } from '../workspaces/audit/trail.ts';

/** The fields of Mutation and Query whose refusals are in the audit. What they do is recorded with what was done. */
const audited: ReadonlyMap<string, AuditAction> = new Map([
  ['createAccessToken', 'access_token.create'],
  ['createApiKey', 'api_key.create'],
  ['createSchedule', 'schedule.create'],
  ['createWorkspace', 'workspace.create'],
  ['deleteSchedule', 'schedule.delete'],
  ['grantCredits', 'credits.grant'],
  ['revealInput', 'job.reveal'],
  ['revokeApiKey', 'api_key.revoke'],
  ['rotateWebhookSecret', 'webhook_secret.rotate'],
  ['startBulkAction', 'bulk_action.start'],
  ['stopBulkAction', 'bulk_action.stop'],
  ['triggerSchedule', 'schedule.trigger'],
  ['updateJobType', 'job_type.update'],
  ['updateSchedule', 'schedule.update'],
  ['updateWorkspace', 'workspace.update'],
]);

/** Notes that a root field was refused, if the audit is to know of it. In the workspace of the caller, who may not know the target's. */
export function noteRefusal(
  { audit, viewer }: { audit: AuditTrail; viewer: Viewer | null },
  field: string,
  outcome: ErrorCode,
  input: object = {},
): void {
  const action = audited.get(field);
  if (action === undefined || viewer === null) return;
  audit.refuse({ workspaceId: viewer.workspaceId, action, by: viewer, target: targetIn(input), outcome });
}

const targets: ReadonlySet<string> = new Set(['ApiKey', 'BulkAction', 'Job', 'Schedule', 'Workspace'] satisfies AuditTargetType[]);

/** What the input names by a global id. */
function targetIn(input: { id?: unknown; workspaceId?: unknown; jobId?: unknown }): { type: AuditTargetType; id: string } | null {
  const named = input.id ?? input.jobId ?? input.workspaceId;
  const parsed = typeof named === 'string' ? parseGlobalId(named) : null;
  return parsed !== null && isTarget(parsed.type) ? { type: parsed.type, id: parsed.uuid } : null;
}

function isTarget(type: string): type is AuditTargetType {
  return targets.has(type);
}
