import type { Dialect } from '../../workspaces/dialect.ts';
import type { JobStatus } from './state-machine.ts';

export type JsonValue = string | number | boolean | null | JsonValue[] | { [key: string]: JsonValue };
export type JsonObject = { [key: string]: JsonValue };

/** The current attempt's last report. */
export interface JobProgress {
  step: string | null;
  message: string | null;
  /** 0 to 100; null if unknown. */
  percentage: number | null;
}

export interface JobFailure {
  code: string;
  message: string;
}

/** A read-only job row. Every surface is a pure projection of it. */
export interface Job {
  /** UUIDv7. Its timestamp is `createdAt`, and ids sort in order of creation. */
  id: string;
  workspaceId: string;
  type: string;
  status: JobStatus;
  version: number;
  input: JsonObject;
  progress: JobProgress | null;
  output: JsonValue;
  error: JobFailure | null;
  tags: string[];
  priority: number;
  /** Number of the newest attempt, including released ones; 0 before the first. */
  attempt: number;
  /** Number of attempts that count against maxAttempts. */
  failedAttempts: number;
  maxAttempts: number;
  creditsCharged: number;
  creditsRefunded: number;
  webhookUrl: string | null;
  /** The submitter's own reference (RevidAPI's `id`). */
  clientReference: string | null;
  /** The surface that the job came through. A retry keeps that of the original job. */
  dialect: Dialect;
  artifactId: string | null;
  artifactExpiresAt: Date | null;
  retryOfId: string | null;
  cancelReason: string | null;
  /** The earliest start that the submitter asked for, if any. */
  runAt: Date | null;
  /** When it became or becomes claimable. */
  dueAt: Date;
  createdAt: Date;
  startedAt: Date | null;
  finishedAt: Date | null;
  statusChangedAt: Date;
  updatedAt: Date;
}
