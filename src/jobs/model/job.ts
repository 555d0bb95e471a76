import type { Dialect } from '../../workspaces/dialect.ts';
import type { JobStatus } from './state-machine.ts';

export type JsonValue = string | number | boolean | null | JsonValue[] | { [key: string]: JsonValue };
export type JsonObject = { [key: string]: JsonValue };

/** The current attempt's last report. */
export interface JobProgress {
  step: string | null;
  message: string | null;
  /** 0 to 100; null while it cannot be told. */
  percentage: number | null;
}

export interface JobFailure {
  code: string;
  message: string;
}

/** One job as every surface sees it: the row, read only. Surfaces are pure projections of it. */
export interface Job {
  /** UUIDv7; its millisecond is `createdAt`, its order the order of jobs. */
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
  /** Number of the newest attempt, released ones included; 0 before the first. */
  attempt: number;
  /** Attempts that count against maxAttempts. */
  failedAttempts: number;
  maxAttempts: number;
  creditsCharged: number;
  creditsRefunded: number;
  webhookUrl: string | null;
  /** The submitter's own reference (RevidAPI's `id`). */
  clientReference: string | null;
  /** The surface that the job came through; of a retry, the first of its jobs. */
  dialect: Dialect;
  artifactId: string | null;
  artifactExpiresAt: Date | null;
  retryOfId: string | null;
  cancelReason: string | null;
  /** Not before this instant, where it was asked for. */
  runAt: Date | null;
  /** When it became, or becomes, eligible for a worker. */
  dueAt: Date;
  createdAt: Date;
  startedAt: Date | null;
  finishedAt: Date | null;
  statusChangedAt: Date;
  updatedAt: Date;
}
