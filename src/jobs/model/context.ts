import type { Database } from '../../database/database.ts';
import type { Announcer } from '../feed/announcer.ts';
import type { Batches } from '../../concurrency/batches.ts';
import type { StoredFile } from '../../files/store.ts';
import type { LeaseRef } from '../claim/lease-token.ts';
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
  limits: JobLimits;
  /** Told of what workers are heard of. */
  workforce: Workforce;
  pauses: Pauses;
  observer: JobObserver;
  /** Whether cancelling a job that came through this surface sends a webhook. */
  notifiesOfCancellation: (dialect: Dialect) => boolean;
}

/** A validated completion. */
export interface ReadyCompletion {
  ref: LeaseRef;
  scope: WorkspaceScope;
  /** JSON text. */
  output: string;
  artifact: StoredFile | null;
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
