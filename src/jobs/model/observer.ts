import type { Job } from './job.ts';
import type { AttemptOutcome } from './state-machine.ts';

/** An attempt, or a waiting job, that this process has ended. */
export interface EndedAttempt {
  /** As it is now. */
  job: Pick<Job, 'type' | 'status'>;
  outcome: AttemptOutcome;
  /** The error code of the attempt. */
  code: string | null;
  /** How long the attempt took; null if none was running. */
  ranSeconds: number | null;
}

/** Is told of what this process does with jobs, for metrics. */
export interface JobObserver {
  /** @param waitedSeconds since the job was due */
  started(type: string, waitedSeconds: number): void;
  ended(attempt: EndedAttempt): void;
}
