import type { Shown } from '../../database/columns.ts';
import type { JobEntity, JobFailureEntity, JobProgressEntity } from './entities.ts';

/** The current attempt's last report. */
export type JobProgress = Shown<typeof JobProgressEntity>;

export type JobFailure = Shown<typeof JobFailureEntity>;

/** A job's row, which nobody changes in memory. Every surface is a pure projection of it. */
export type Job = Shown<typeof JobEntity> & {
  /** The time in its id. */
  createdAt: Date;
};
