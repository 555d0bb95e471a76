import { z } from 'zod';
import { newId } from '../database/ids.ts';
import type { Database } from '../database/database.ts';
import { NotFoundError, ValidationError } from '../errors.ts';
import { parseInput } from '../input.ts';
import { mostCredits } from './create-workspace.ts';
import { type Workspace, type WorkspaceRow, workspaceColumns, workspaceFromRow } from './workspace.ts';

const request = z.object({
  workspaceId: z.guid(),
  amount: z.int().min(1).max(mostCredits),
  idempotencyKey: z.string().min(1).max(255).nullish(),
});

export interface CreditGrant {
  workspaceId: string;
  /** 1 to 1,000,000,000. */
  amount: number;
  /** 1 to 255 characters. The same key and amount within 24 hours are granted only once. */
  idempotencyKey?: string | null | undefined;
}

/**
 * Adds credits to a workspace's balance and ledger.
 *
 * @throws NotFoundError; ValidationError, also if the key was used for another amount or the balance would exceed the
 *   maximum.
 */
export async function grantCredits(database: Database, asked: CreditGrant): Promise<Workspace> {
  const { workspaceId, amount, idempotencyKey = null } = parseInput(request, asked);
  return database.transaction(async (transaction) => {
    if (idempotencyKey !== null) {
      // The upsert locks the key's row, so a second grant with the same key waits and then sees the first.
      const [key] = await transaction.query<{ request_hash: string; fresh: boolean }>(
        `INSERT INTO idempotency_key (workspace_id, scope, key, request_hash) VALUES ($1, 'GRANT', $2, $3)
         ON CONFLICT (workspace_id, scope, key) DO UPDATE SET
           request_hash = CASE WHEN ${stale} THEN excluded.request_hash ELSE idempotency_key.request_hash END,
           created_at = CASE WHEN ${stale} THEN now() ELSE idempotency_key.created_at END
         RETURNING request_hash, created_at = now() AS fresh`,
        [workspaceId, idempotencyKey, String(amount)],
      );
      if (key?.request_hash !== String(amount)) throw keyConflict;
      if (!key.fresh) return currentWorkspace(await transaction.query(find, [workspaceId]));
    }
    const rows = await transaction.query<WorkspaceRow>(
      `WITH granted AS (
         UPDATE workspace SET credits = credits + $2::int WHERE id = $1 AND credits <= ${mostCredits} - $2::int RETURNING *
       ), ledger AS (
         INSERT INTO credit_transaction (id, workspace_id, kind, amount, balance_after)
         SELECT $3::uuid, id, 'GRANT', $2::int, credits FROM granted
       )
       SELECT ${workspaceColumns} FROM granted AS workspace`,
      [workspaceId, amount, newId()],
    );
    if (rows.length > 0) return currentWorkspace(rows);
    // The workspace does not exist, or its balance would exceed the maximum.
    currentWorkspace(await transaction.query(find, [workspaceId]));
    throw aboveMaximum;
  });
}

const stale = `idempotency_key.created_at <= now() - interval '24 hours'`;
const find = `SELECT ${workspaceColumns} FROM workspace WHERE id = $1`;

const keyConflict = new ValidationError([
  { path: ['idempotencyKey'], message: 'was used for a grant of a different amount. Use a new key for a new grant.' },
]);
const aboveMaximum = new ValidationError([
  { path: ['amount'], message: `would take the balance above the maximum of ${mostCredits}` },
]);

function currentWorkspace([row]: WorkspaceRow[]): Workspace {
  if (row === undefined) throw new NotFoundError('Workspace');
  return workspaceFromRow(row);
}
