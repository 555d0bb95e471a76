import type { Database } from '../../database/database.ts';
import type { Announcer } from '../feed/announcer.ts';
import type { Batches } from '../../concurrency/batches.ts';
import type { NamedFile } from '../../files/named-file.ts';
import type { AttemptUploads } from '../../files/uploads/attempt-uploads.ts';
import type { Upload } from '../../files/uploads/upload.ts';
import type { LeaseRef } from '../claim/lease-token.ts';
import type { ConcurrencyKeys } from '../keys/concurrency-keys.ts';
import type { Pauses } from '../pausing/pauses.ts';
import type { Job } from './job.ts';
import type { WorkspaceScope } from './workspace-scope.ts';
import type { JobObserver } from './observer.ts';
import type { JobTypes } from '../types/registry.ts';
import type { Dialect } from '../../workspaces/dialect.ts';
import type { Workforce } from '../workers/workforce.ts';

/** The dependencies of the transitions. */
export interface JobsContext {
  database: Database;
  types: JobTypes;
  announcer: Announcer;
  /** Completions that arrive together share a statement. Resolves with null if the lease no longer holds. */
  completions: Batches<ReadyCompletion, Job | null>;
  /** Finds what became of attempts whose completions came too late, or again. Resolves with null for a token of no attempt. */
  lateCompletions: Batches<AskedCompletion, LateCompletion | null>;
  /** Finds uploads of attempts. */
  attemptUploads: Batches<AttemptUploads, Upload[]>;
  limits: JobLimits;
  /** Told of what workers are heard of. */
  workforce: Workforce;
  pauses: Pauses;
  /** Told of jobs with a concurrency key. */
  concurrencyKeys: ConcurrencyKeys;
  observer: JobObserver;
  /** Whether cancelling a job that came through this surface sends a webhook. */
  notifiesOfCancellation: (dialect: Dialect) => boolean;
}

/** A completion that can be read. */
export interface AskedCompletion {
  ref: LeaseRef;
  scope: WorkspaceScope;
  /** JSON text. */
  output: string;
  /** The files that it names, the main one first. */
  files: readonly { id: string; name: string }[];
}

/** A completion whose files are all there. */
export interface ReadyCompletion extends AskedCompletion {
  artifacts: readonly NamedFile[];
  /** Whether they are uploads of the attempt, which the completion takes; else a built-in handler has stored them. */
  areUploads: boolean;
}

/** A completion without a lease: the current state of its job. */
export interface LateCompletion {
  job: Job;
  /** Whether no other attempt has begun. Its token then still shows the job. */
  isNewest: boolean;
  /** Whether the lease holds still, so that something else was wrong. */
  isHeld: boolean;
  /** Whether this attempt has completed its job with this output and these files. */
  isRepeated: boolean;
}

export interface JobLimits {
  /** Bytes of one job's input, as JSON. */
  maxInputBytes: number;
  /** Bytes of one job's output, as JSON. */
  maxOutputBytes: number;
  /** Pending jobs of one workspace. */
  maxQueueLength: number;
  /** Claims of one key that may wait on this process. */
  maxWaitingClaimsPerKey: number;
}
