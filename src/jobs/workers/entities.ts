import { defineEntity, p } from '@mikro-orm/core';

/**
 * A process that claims jobs. Written every few seconds while it is heard, so no index covers what changes then, and removed
 * when it has been silent for a week.
 */
export const WorkerEntity = defineEntity({
  name: 'Worker',
  tableName: 'worker',
  properties: {
    id: p.uuid().primary(),
    /** That of its key; `default` for WORK_ALL and the built-in worker. */
    workspaceId: p.uuid(),
    /** As it calls itself when it claims. */
    name: p.text(),
    /** Whether it takes jobs of every workspace. */
    everywhere: p.boolean().hidden(),
    /** The types that it claims, each with the last time in seconds since 1970. */
    types: p.json<Record<string, number>>().defaultRaw(`'{}'`).hidden(),
    firstSeenAt: p.datetime().defaultRaw('now()'),
    lastSeenAt: p.datetime().defaultRaw('now()'),
  },
  uniques: [{ name: 'worker_name_unique', properties: ['workspaceId', 'name'] }],
});
