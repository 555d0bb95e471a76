import type { NamedFile } from '../files/named-file.ts';
import type { ResultFiles } from '../files/result-files.ts';
import type { OpenFile } from '../files/stores/store.ts';
import type { Upload } from '../files/uploads/upload.ts';
import type { Job, JobProgress } from '../jobs/model/job.ts';
import type { ImposedOutcome } from '../jobs/model/state-machine.ts';
import type { JsonValue } from '../json.ts';
import type { OutboundFetch } from '../outbound/fetch.ts';
import type { AttemptLog } from './attempt-log.ts';

/** The context of one attempt, passed to its handler. */
export interface Attempt {
  job: Job;
  /**
   * Aborts when the job is cancelled, the lease is lost, or the process drains. The handler must then stop and throw. If the
   * attempt is over, the reason is an AttemptOver, and a JobOver if the job has ended; else the attempt is to be handed back.
   */
  signal: AbortSignal;
  /** Reports progress. Omitted fields keep their value. Cheap, because reports are merged. */
  report(progress: Partial<JobProgress>): void;
  /** What an earlier attempt has kept; null for nothing. */
  checkpoint(): Promise<JsonValue>;
  /** Keeps what the next attempt needs to go on from here, in place of what was kept before. Resolves to whether it was written. */
  keep(checkpoint: JsonValue): Promise<boolean>;
  /** An error as the server's log may show it: without the secrets of the job's input. */
  loggable(error: unknown): unknown;
  /** The job's log, which everybody reads who reads the job. */
  log: Pick<AttemptLog, 'debug' | 'info' | 'warn' | 'error'>;
  artifacts: ResultFiles;
  /** Opens an upload that the job's input names, by the text that stands there. Null if it names none, or it is gone. To be read or closed. */
  openUpload(reference: string): Promise<{ upload: Upload; file: OpenFile } | null>;
  fetch: OutboundFetch;
}

export interface Result {
  output: JsonValue;
  /**
   * The job's result files, the main one first, already complete in the store. The transaction that completes the job records
   * them. At most 100.
   */
  artifacts?: readonly NamedFile[];
}

/** Executes one attempt at a job of one type. A thrown HandlerError describes the failure; anything else is a bug. */
export type Handler = (attempt: Attempt) => Promise<Result>;

/** What the built-in worker does for one job type. */
export interface BuiltIn {
  handle: Handler;
  /** Where it writes, so that there has to be room: its result into the store of the files, what it has in hand into SCRATCH_DIR. */
  writesTo: readonly ('files' | 'scratch')[];
}

/** An attempt failed for a reason that the submitter should see. */
export class HandlerError extends Error {
  /** A stable error code, for example SOURCE_UNREACHABLE. */
  readonly code: string;
  /** False fails the job even if it has attempts left. */
  readonly retryable: boolean;
  /** Seconds before the next attempt, 0 to 86,400; null leaves it to the domain. */
  readonly retryAfterSeconds: number | null;

  constructor(code: string, message: string, options: { retryable: boolean; retryAfterSeconds?: number | null; cause?: unknown }) {
    super(message, { cause: options.cause });
    this.name = 'HandlerError';
    this.code = code;
    this.retryable = options.retryable;
    this.retryAfterSeconds = options.retryAfterSeconds ?? null;
  }
}

/** How an attempt ended without its worker's word. */
export type LostBy = Exclude<ImposedOutcome, 'EXPIRED'> | 'LEASE_LOST';

/** The attempt is over, and what it still does reaches nobody. */
export class AttemptOver extends Error {
  readonly by: LostBy;

  constructor(by: LostBy, message = 'The attempt is over.') {
    super(message);
    this.name = 'AttemptOver';
    this.by = by;
  }
}

/** The job has ended, so that no attempt follows. */
export class JobOver extends AttemptOver {
  constructor(by: LostBy) {
    super(by, 'The job has ended.');
    this.name = 'JobOver';
  }
}
