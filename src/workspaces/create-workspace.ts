import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import { newId } from '../database/ids.ts';
import type { Database } from '../database/database.ts';
import type { Queryable } from '../database/queryable.ts';
import { parseInput } from '../input.ts';
import type { Workspace } from './workspace.ts';

/** The largest balance that a grant may reach. GraphQL's Int allows twice that, so refunds always fit. */
export const mostCredits = 1_000_000_000;

const request = z.object({
  name: z.string().min(1).max(200),
  credits: z.int().min(0).max(mostCredits).nullish(),
  concurrencyLimit: z.int().min(1).max(10_000).nullish(),
});

export interface WorkspaceRequest {
  /** 1 to 200 characters. */
  name: string;
  /** The first grant. 0 by default. */
  credits?: number | null | undefined;
  /** The most jobs running at once, 1 to 10,000. Unlimited by default. */
  concurrencyLimit?: number | null | undefined;
}

/** Creates a workspace with its slots, webhook secret and first grant. Throws ValidationError. */
export async function createWorkspace(database: Database, asked: WorkspaceRequest): Promise<Workspace> {
  const { name, credits, concurrencyLimit } = parseInput(request, asked);
  const workspace = { id: newId(), name, credits: credits ?? 0, concurrencyLimit: concurrencyLimit ?? null };
  await database.transaction((transaction) => insertWorkspace(transaction, workspace));
  return workspace;
}

export async function insertWorkspace(transaction: Queryable, workspace: Workspace): Promise<void> {
  const { id, name, credits, concurrencyLimit } = workspace;
  await transaction.query(
    `INSERT INTO workspace (id, name, credits, concurrency_limit, webhook_secret) VALUES ($1, $2, $3, $4, $5)`,
    [id, name, credits, concurrencyLimit, newWebhookSecret()],
  );
  if (concurrencyLimit !== null) {
    await transaction.query(`INSERT INTO slot (workspace_id, n) SELECT $1::uuid, generate_series(1, $2::int)`, [
      id,
      concurrencyLimit,
    ]);
  }
  if (credits > 0) {
    await transaction.query(
      `INSERT INTO credit_transaction (id, workspace_id, kind, amount, balance_after) VALUES ($1, $2, 'GRANT', $3, $3)`,
      [newId(), id, credits],
    );
  }
}

/** Generates a secret in the Standard Webhooks format: `whsec_` and the base64 of 24 to 64 random bytes (32 here). */
export function newWebhookSecret(): string {
  return `whsec_${randomBytes(32).toString('base64')}`;
}
