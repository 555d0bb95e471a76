import type { ArtifactStore, StoredFile } from '../files/store.ts';
import type { Job, JobProgress } from '../jobs/model/job.ts';
import type { JsonValue } from '../json.ts';
import type { OutboundFetch } from '../outbound/fetch.ts';

/** The context of one attempt, passed to its handler. */
export interface Attempt {
  job: Job;
  /**
   * Aborts when the job is cancelled, the lease is lost, or the process drains. The handler must then stop and throw.
   */
  signal: AbortSignal;
  /** Reports progress. Omitted fields keep their value. Cheap, because reports are merged. */
  report(progress: Partial<JobProgress>): void;
  artifacts: ArtifactStore;
  fetch: OutboundFetch;
}

export interface Result {
  output: JsonValue;
  /** The job's result file, already complete in the store. The transaction that completes the job records it. */
  artifact?: StoredFile;
}

/** Executes one attempt at a job of one type. A thrown HandlerError describes the failure; anything else is a bug. */
export type Handler = (attempt: Attempt) => Promise<Result>;

/** What the built-in worker does for one job type. */
export interface BuiltIn {
  handle: Handler;
  /** Whether it writes a file, for which there has to be room. */
  writes: boolean;
}

/** An attempt failed for a reason that the submitter should see. */
export class HandlerError extends Error {
  /** A stable error code, for example SOURCE_UNREACHABLE. */
  readonly code: string;
  /** False fails the job even if it has attempts left. */
  readonly retryable: boolean;

  constructor(code: string, message: string, options: { retryable: boolean; cause?: unknown }) {
    super(message, { cause: options.cause });
    this.name = 'HandlerError';
    this.code = code;
    this.retryable = options.retryable;
  }
}
