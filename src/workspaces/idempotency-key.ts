import { defineEntity, type EntityManager, p, raw } from '@mikro-orm/core';
import type { Queryable } from '../database/queryable.ts';

/** How long an idempotency key is valid. */
export const keyHours = 24;

/** An idempotency key used in the last 24 hours. */
export const IdempotencyKeyEntity = defineEntity({
  name: 'IdempotencyKey',
  tableName: 'idempotency_key',
  properties: {
    workspaceId: p.uuid().primary(),
    /** JOB for creations and retries, GRANT for credit grants. Keys of different scopes never collide. */
    scope: p.enum(['JOB', 'GRANT']).primary(),
    key: p.text().primary(),
    /** SHA-256 of the canonical request. */
    requestHash: p.text(),
    jobId: p.uuid().strictNullable(),
    createdAt: p.datetime().defaultRaw('now()'),
  },
  indexes: [{ name: 'idempotency_key_created_index', properties: ['createdAt'] }],
});

/** SQL for the latest time of use of a key that is no longer valid. */
export const lastExpired = `now() - interval '${keyHours} hours'`;

/** Deletes every expired key. */
export async function forgetOldKeys(em: EntityManager): Promise<void> {
  await em.nativeDelete(IdempotencyKeyEntity, { createdAt: { $lte: raw(lastExpired) } });
}

/** How many expired keys are not deleted yet: at most 100,000. */
export async function countOldKeys(database: Queryable): Promise<number> {
  const [row] = await database.query<{ keys: number }>(
    `SELECT count(*)::int AS keys FROM (SELECT FROM idempotency_key WHERE created_at <= ${lastExpired} LIMIT 100000) AS expired`,
  );
  return row?.keys ?? 0;
}
