import type { ArtifactStore, StoredFile } from '../files/store.ts';
import type { Job, JobProgress, JsonValue } from '../jobs/model/job.ts';
import type { OutboundFetch } from '../outbound/fetch.ts';

/** What a handler is given for one attempt. */
export interface Attempt {
  job: Job;
  /** Aborted when the job is cancelled, the lease is lost, or the process drains: stop at once and throw. */
  signal: AbortSignal;
  /** What is left out stays as it was. Cheap: reports are coalesced. */
  report(progress: Partial<JobProgress>): void;
  artifacts: ArtifactStore;
  fetch: OutboundFetch;
}

export interface Result {
  output: JsonValue;
  /** The job's main file, already whole in the store; recorded in the transaction that completes the job. */
  artifact?: StoredFile;
}

/** Carries out one attempt of a job of one type. A thrown HandlerError names the failure; anything else is a bug. */
export type Handler = (attempt: Attempt) => Promise<Result>;

/** An attempt that failed for a reason its submitter should read. */
export class HandlerError extends Error {
  /** Stable machine code, for example SOURCE_UNREACHABLE. */
  readonly code: string;
  /** False ends the job whatever attempts are left. */
  readonly retryable: boolean;

  constructor(code: string, message: string, options: { retryable: boolean; cause?: unknown }) {
    super(message, { cause: options.cause });
    this.name = 'HandlerError';
    this.code = code;
    this.retryable = options.retryable;
  }
}
