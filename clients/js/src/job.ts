/** PENDING waits, RUNNING is with a worker; the last three are final. */
export type JobStatus = 'PENDING' | 'RUNNING' | 'COMPLETED' | 'FAILED' | 'CANCELLED';

/** How far a job is. */
export interface JobProgress {
  /** Machine name of the step, for example `transcribing`. */
  step: string | null;
  /** A sentence for a person. */
  message: string | null;
  /** 0 to 100, never back within an attempt; null while it cannot be told. */
  percentage: number | null;
}

/** A result file. */
export interface Artifact {
  id: string;
  /** What it is to the job, for example `video`; unique in it. */
  name: string;
  filename: string;
  mediaType: string;
  bytes: number;
  /** SHA-256 in hex. */
  sha256: string;
  /** Signed when the job was read; `download` reads a fresh one. */
  url: string;
  expiresAt: string;
}

/** A job as of one version. Instants are RFC 3339 texts in UTC. */
export interface Job<Output = unknown> {
  /** Global id, `job_…`. */
  id: string;
  uuid: string;
  type: string;
  status: JobStatus;
  /** Grows with every visible change. */
  version: number;
  progress: JobProgress | null;
  /** Set when COMPLETED. */
  output: Output | null;
  /** Set when FAILED. */
  error: { code: string; message: string } | null;
  tags: string[];
  priority: number;
  maxAttempts: number;
  creditsCharged: number;
  creditsRefunded: number;
  cancelReason: string | null;
  clientReference: string | null;
  /** The main result file, signed when the job was read; null without one, and when it has expired. */
  downloadUrl: string | null;
  /** Result files, the main one first; empty until COMPLETED. */
  artifacts: Artifact[];
  runAt: string | null;
  nextAttemptAt: string | null;
  createdAt: string;
  startedAt: string | null;
  finishedAt: string | null;
  updatedAt: string;
}

/** What an answer tells of a job whatever the caller may read. */
export type JobSummary = Pick<Job, 'id' | 'uuid' | 'type' | 'status' | 'version' | 'creditsCharged' | 'creditsRefunded'>;

/** A line that a worker wrote. */
export interface JobLogLine {
  /** From 1 along the job. */
  sequence: number;
  attempt: number;
  at: string;
  level: LogLevel;
  message: string;
  fields: Record<string, unknown> | null;
}

export type LogLevel = 'DEBUG' | 'INFO' | 'WARN' | 'ERROR';

/** Whether nothing comes after this status. */
export function isFinal(status: JobStatus): boolean {
  return status === 'COMPLETED' || status === 'FAILED' || status === 'CANCELLED';
}
