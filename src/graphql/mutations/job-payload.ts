import type { Job } from '../../jobs/model/job.ts';
import { builder } from '../builder.ts';
import { JobType } from '../types/job.ts';

/** Defines a payload with one job. */
export function jobPayload(name: string, description: string) {
  return builder.objectRef<{ job: Job }>(name).implement({
    description,
    fields: (t) => ({
      job: t.expose('job', { type: JobType, nullable: false, description: 'Its current state.' }),
    }),
  });
}
