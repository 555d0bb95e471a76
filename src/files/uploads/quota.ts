import type { Queryable } from '../../database/queryable.ts';

/** Advisory lock key space. Distinct from those in src/database/process-lock.ts, queue-room.ts and create-schedule.ts. */
const lockSpace = 0x10_f1;

/** Until the transaction ends, nobody else takes of the room that the workspace's uploads may have. */
export async function lockQuota(transaction: Queryable, workspaceId: string): Promise<void> {
  await transaction.query('SELECT pg_advisory_xact_lock($1::int, hashtext($2::text))', [lockSpace, workspaceId]);
}

/**
 * SQL for the bytes that a workspace's uploads may still take. Both parameters are of the caller's statement.
 *
 * The sum is read each time: a counter would have to be kept by each of the statements that take or remove uploads.
 */
export function sqlRoomLeft(workspaceId: string, quota: string): string {
  return `(${quota}::bigint - (SELECT coalesce(sum(reserved_bytes), 0) FROM upload WHERE upload.workspace_id = ${workspaceId}::uuid))`;
}
