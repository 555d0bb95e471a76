import { type EntityManager, LockMode, raw } from '@mikro-orm/core';
import { z } from 'zod';
import { newId } from '../database/ids.ts';
import { type Database, queryableOf } from '../database/database.ts';
import { NotFoundError, ValidationError } from '../errors.ts';
import { parseInput } from '../input.ts';
import { type Actor, byNobody, record } from './audit/record.ts';
import { largestGrant } from './create-workspace.ts';
import { CreditTransactionEntity, WorkspaceEntity } from './entities.ts';
import { IdempotencyKeyEntity, lastExpired } from './idempotency-key.ts';
import type { Workspace } from './workspace.ts';

/**
 * The largest balance that a grant may reach. A refund is never refused for its size, so the bound leaves room for what
 * unfinished jobs may get back. A job costs at most 1,000,000 credits, so eight billion unfinished jobs of one workspace
 * would be needed to take the balance beyond 2^53, where JSON numbers are no longer exact. The column holds a thousand times
 * that.
 */
export const largestBalance = 1_000_000_000_000_000;

const request = z.object({
  workspaceId: z.guid(),
  amount: z.int().min(1).max(largestGrant),
  idempotencyKey: z.string().min(1).max(255).nullish(),
});

interface CreditGrant {
  workspaceId: string;
  /** 1 to 1,000,000,000. */
  amount: number;
  /** 1 to 255 characters. The same key and amount within 24 hours are granted only once. */
  idempotencyKey?: string | null | undefined;
}

/**
 * Adds credits to a workspace's balance and ledger.
 *
 * @throws NotFoundError; ValidationError, also if the key was used for another amount, or the balance would exceed
 *   10^15.
 */
export async function grantCredits(database: Database, asked: CreditGrant, by: Actor = byNobody): Promise<Workspace> {
  const { workspaceId, amount, idempotencyKey = null } = parseInput(request, asked);
  return database.transactional(async (em) => {
    // The lock makes a second grant with the same key wait, and then see the first.
    const workspace = await em.findOne(WorkspaceEntity, { id: workspaceId }, { lockMode: LockMode.PESSIMISTIC_WRITE });
    if (workspace === null) throw new NotFoundError('Workspace');
    if (idempotencyKey !== null && !(await isNew(em, { workspaceId, scope: 'GRANT', key: idempotencyKey }, amount))) return workspace;
    if (workspace.credits + amount > largestBalance) throw aboveMaximum;
    workspace.credits += amount;
    em.create(CreditTransactionEntity, { id: newId(), workspaceId, kind: 'GRANT', amount, balanceAfter: workspace.credits });
    const details = { amount, balanceAfter: workspace.credits };
    await record(queryableOf(em), { workspaceId, action: 'credits.grant', by, target: { type: 'Workspace', id: workspaceId }, details });
    return workspace;
  });
}

/** Notes the key of a grant. Returns false if the same grant was made with this key, and the key is still valid. */
async function isNew(em: EntityManager, key: { workspaceId: string; scope: 'GRANT'; key: string }, amount: number): Promise<boolean> {
  const requestHash = String(amount);
  await em.nativeDelete(IdempotencyKeyEntity, { ...key, createdAt: { $lte: raw(lastExpired) } });
  const known = await em.findOne(IdempotencyKeyEntity, key);
  if (known === null) em.create(IdempotencyKeyEntity, { ...key, requestHash, jobId: null });
  else if (known.requestHash !== requestHash) throw keyConflict;
  return known === null;
}

const keyConflict = new ValidationError([
  { path: ['idempotencyKey'], message: 'was used for a grant of a different amount. Use a new key for a new grant.' },
]);
const aboveMaximum = new ValidationError([
  { path: ['amount'], message: `would take the balance above the maximum of ${largestBalance}. Grant less.` },
]);
