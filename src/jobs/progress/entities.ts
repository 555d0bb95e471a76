import { defineEntity, p } from '@mikro-orm/core';
import type { JsonValue } from '../../json.ts';

/**
 * What an attempt needs to go on where an earlier one was: the last checkpoint that was reported. Only jobs that have reported
 * one have a row, and no claim or transition touches it. It is for workers; readers are never shown it.
 */
export const JobCheckpointEntity = defineEntity({
  name: 'JobCheckpoint',
  tableName: 'job_checkpoint',
  properties: {
    jobId: p.uuid().primary(),
    workspaceId: p.uuid(),
    /** Never null: a null clears. */
    value: p.json<JsonValue>(),
  },
});
