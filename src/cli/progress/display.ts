import type { Job } from '@longhaul/client';

/** What is shown of a job. */
export type ShownJob = Pick<Job, 'id' | 'uuid' | 'type' | 'status' | 'version' | 'progress' | 'error' | 'cancelReason' | 'startedAt' | 'updatedAt' | 'runAt' | 'nextAttemptAt'>;

/** Shows jobs as they change. Closing it leaves the cursor below. */
export interface Display extends Disposable {
  show(job: ShownJob): void;
}
