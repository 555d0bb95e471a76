import { defineEntity, p } from '@mikro-orm/core';

/** Job types whose jobs wait, in every workspace. Few, and mostly none, so that a claim pays nothing for looking. */
export const PausedJobTypeEntity = defineEntity({
  name: 'PausedJobType',
  tableName: 'paused_job_type',
  properties: { name: p.text().primary() },
});
