import type { Job } from '../../jobs/model/job.ts';
import { builder } from '../builder.ts';
import { JobType } from './job.ts';

/** One event of `jobUpdates`. */
export interface SentUpdate {
  job: Job;
  /** As clients see it. */
  cursor: string;
  /** Whether the status changed; otherwise progress did. */
  change: boolean;
}

export const JobUpdateType = builder.objectRef<SentUpdate>('JobUpdate').implement({
  description: 'A job that changed its status, or that made progress.',
  fields: (t) => ({
    job: t.field({
      type: JobType,
      nullable: false,
      description: 'As it was at that change. What hangs on it (attempts, deliveries) is as it is now.',
      resolve: ({ job }) => job,
    }),
    cursor: t.exposeString('cursor', {
      nullable: false,
      description: 'Resume from it, within seven days: give it as `after`.',
    }),
  }),
});
