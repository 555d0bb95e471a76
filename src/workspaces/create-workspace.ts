import type { SqlEntityManager } from '@mikro-orm/sql';
import { z } from 'zod';
import { newId } from '../database/ids.ts';
import { type Database, queryableOf } from '../database/database.ts';
import { parseInput } from '../input.ts';
import { type Actor, byNobody, record } from './audit/record.ts';
import { CreditTransactionEntity, WorkspaceEntity } from './entities.ts';
import { newWebhookSecret, type WebhookSecrets } from './webhook-secrets.ts';
import type { Workspace } from './workspace.ts';

/** The most credits in one grant: a round number that fits GraphQL's Int. */
export const largestGrant = 1_000_000_000;

export const workspaceName = z.string().min(1).max(200);
export const concurrencyLimit = z.int().min(1).max(10_000);

const request = z.object({
  name: workspaceName,
  credits: z.int().min(0).max(largestGrant).nullish(),
  concurrencyLimit: concurrencyLimit.nullish(),
});

interface WorkspaceRequest {
  /** 1 to 200 characters. */
  name: string;
  /** The first grant, 0 to 1,000,000,000. 0 by default. */
  credits?: number | null | undefined;
  /** The most jobs running at once, 1 to 10,000. Unlimited by default. */
  concurrencyLimit?: number | null | undefined;
}

/** Creates a workspace with its slots, webhook secret and first grant. Throws ValidationError. */
export async function createWorkspace(
  { database, webhookSecrets }: { database: Database; webhookSecrets: WebhookSecrets },
  asked: WorkspaceRequest,
  by: Actor = byNobody,
): Promise<Workspace> {
  const { name, credits, concurrencyLimit: limit } = parseInput(request, asked);
  const workspace = { id: newId(), name, credits: credits ?? 0, concurrencyLimit: limit ?? null, paused: false };
  await database.transactional(async (em) => {
    await addWorkspace(em, webhookSecrets, workspace);
    const { id, paused: _, ...details } = workspace;
    await record(queryableOf(em), { workspaceId: id, action: 'workspace.create', by, target: { type: 'Workspace', id }, details });
  });
  return workspace;
}

/** Call it in a transaction. */
export async function addWorkspace(em: SqlEntityManager, webhookSecrets: WebhookSecrets, workspace: Workspace): Promise<void> {
  const { id, credits, concurrencyLimit: limit } = workspace;
  em.create(WorkspaceEntity, { ...workspace, webhookSecret: webhookSecrets.seal(newWebhookSecret(), id) });
  if (credits > 0) {
    em.create(CreditTransactionEntity, { id: newId(), workspaceId: id, kind: 'GRANT', amount: credits, balanceAfter: credits });
  }
  if (limit !== null) {
    // There may be 10,000 of them.
    await em.execute('INSERT INTO slot (workspace_id, n) SELECT ?::uuid, generate_series(1, ?::int)', [id, limit]);
  }
}
