import { isIP } from 'node:net';
import { newId } from '../../database/ids.ts';
import type { Queryable } from '../../database/queryable.ts';
import type { ErrorCode } from '../../errors.ts';
import type { JsonValue } from '../../json.ts';
import { sqlDefaultWorkspace } from '../default-workspace.ts';
import type { AuditTargetType } from './entities.ts';

/** What is written down, as `object.verb`. */
export const auditActions = [
  'access_token.create',
  'api_key.create',
  'api_key.revoke',
  'bulk_action.start',
  'bulk_action.stop',
  'credits.grant',
  'job.reveal',
  'job_type.update',
  'schedule.create',
  'schedule.delete',
  'schedule.occur',
  'schedule.trigger',
  'schedule.update',
  'sign_in.refused',
  'webhook_secret.rotate',
  'workspace.create',
  'workspace.update',
] as const;

export type AuditAction = (typeof auditActions)[number];

interface AuditTarget {
  type: AuditTargetType;
  id: string;
}

/** Who does something: a viewer, or nobody with a key. */
export interface Actor {
  apiKeyId: string | null;
  /** The client's, as TRUST_PROXY lets us determine it. */
  address: string | null;
}

/** The server itself: a start, or an occurrence of a schedule. */
export const byNobody: Actor = { apiKeyId: null, address: null };

export interface AuditNote {
  /** Null for `default`. */
  workspaceId: string | null;
  action: AuditAction;
  by: Actor;
  target?: AuditTarget | null;
  /** `ok` by default. */
  outcome?: 'ok' | ErrorCode;
  /** Never a secret. What is undefined is left out. */
  details?: Readonly<Record<string, JsonValue | undefined>>;
}

const statement = `
  INSERT INTO audit_entry (id, workspace_id, action, actor, target_type, target_id, outcome, ip_address, details)
  SELECT noted.id, coalesce(noted.workspace_id, ${sqlDefaultWorkspace}), noted.action,
    (SELECT api_key.name || ' (' || api_key.prefix || ')' FROM api_key WHERE api_key.id = noted.api_key_id),
    noted.target_type, noted.target_id, noted.outcome, noted.ip_address, noted.details
  FROM jsonb_to_recordset($1::jsonb) AS noted(id uuid, workspace_id uuid, action text, api_key_id uuid,
    target_type text, target_id uuid, outcome text, ip_address text, details jsonb)`;

/**
 * Writes entries of the audit, in one statement. Pass the transaction of what they tell of, so that both are there or
 * neither: of an EntityManager, `queryableOf(em)`.
 */
export async function record(database: Queryable, ...notes: readonly AuditNote[]): Promise<void> {
  await database.query(statement, [JSON.stringify(notes.map(toRow))]);
}

function toRow({ workspaceId, action, by, target = null, outcome = 'ok', details = {} }: AuditNote): object {
  return {
    id: newId(),
    workspace_id: workspaceId,
    action,
    api_key_id: by.apiKeyId,
    target_type: target?.type ?? null,
    target_id: target?.id ?? null,
    outcome,
    // A proxy that is trusted may pass on what its client made up.
    ip_address: by.address !== null && isIP(by.address) > 0 ? by.address : null,
    details,
  };
}
