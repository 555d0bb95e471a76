import { defineEntity, p } from '@mikro-orm/core';

/**
 * A concurrency key with jobs that have not ended. Its row is what makes the limit hard: whoever starts or ends a job of the
 * key changes it under its lock, so that nobody counts seats that are older than the lock.
 */
export const ConcurrencyKeyEntity = defineEntity({
  name: 'ConcurrencyKey',
  tableName: 'concurrency_key',
  properties: {
    workspaceId: p.uuid().primary(),
    key: p.text().primary(),
    /** The limit of the job created last. */
    seats: p.integer(),
    /** The jobs of the key that run. More than the seats, where the limit was lowered meanwhile. */
    taken: p.integer().default(0),
    /** Whether jobs have joined or left the key since its line was settled: see settle.ts. */
    unsettled: p.boolean().default(true),
  },
  indexes: [{ name: 'concurrency_key_unsettled_index', properties: ['workspaceId', 'key'], where: 'unsettled' }],
});
