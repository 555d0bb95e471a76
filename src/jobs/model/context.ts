import type { Database } from '../../database/database.ts';
import type { Announcer } from '../feed/announcer.ts';
import type { Batches } from '../../concurrency/batches.ts';
import type { StoredFile } from '../../files/store.ts';
import type { LeaseRef } from '../claim/lease-token.ts';
import type { Job } from './job.ts';
import type { JobTypes } from '../types/registry.ts';
import type { Dialect } from '../../workspaces/dialect.ts';

/** What the transitions work with. */
export interface JobsContext {
  database: Database;
  types: JobTypes;
  announcer: Announcer;
  /** Completions that arrive together share a statement. Null where somebody else was first. */
  completions: Batches<ReadyCompletion, Job | null>;
  limits: JobLimits;
  /** Whether a webhook is told that a job was cancelled which came through this surface. */
  tellsOfCancellation: (dialect: Dialect) => boolean;
}

/** A completion that was checked. */
export interface ReadyCompletion {
  ref: LeaseRef;
  scope: WorkspaceScope;
  /** As JSON. */
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
}

/** A workspace, or null for whoever works in all of them (WORK_ALL). */
export type WorkspaceScope = string | null;
