import type { Job } from '../../jobs/model/job.ts';
import { builder } from '../builder.ts';
import { JobType } from './job.ts';

/** One event of `jobUpdates`. */
interface SentUpdate {
  job: Job;
  /** The encoded cursor that clients get. */
  cursor: string;
  /** True if the status changed, false if only progress did. */
  change: boolean;
}

export const JobUpdateType = builder.objectRef<SentUpdate>('JobUpdate').implement({
  description: 'A job whose status changed, or that made progress.',
  fields: (t) => ({
    job: t.field({
      type: JobType,
      nullable: false,
      description: 'The job as of that change. Its attempts and deliveries are current.',
      resolve: ({ job }) => job,
    }),
    cursor: t.exposeString('cursor', {
      nullable: false,
      description: 'To resume after this update within seven days, pass it as `after`.',
    }),
  }),
});
