export { type BrowserTokenOptions, Client, type ClientOptions, createClient } from './client.ts';
export type { Auth } from './credentials.ts';
export type { Download } from './download.ts';
export {
  AbortError,
  AlreadyFinishedError,
  ConnectionError,
  ForbiddenError,
  IdempotencyConflictError,
  InsufficientCreditsError,
  JobCancelled,
  JobFailed,
  LeaseLostError,
  LonghaulError,
  NotFoundError,
  NotRetryableError,
  QueueFullError,
  QuotaExceededError,
  RateLimitedError,
  TimeoutError,
  TokenExpiredError,
  UnauthenticatedError,
  UnavailableError,
  ValidationError,
  type Issue,
} from './errors.ts';
export { type BrowserToken, JobHandle, type LogsOptions, type ResultOptions, type UpdatesOptions } from './handle.ts';
export { type Artifact, isFinal, type Job, type JobLogLine, type JobProgress, type JobStatus, type JobSummary, type LogLevel } from './job.ts';
export type { AnyJobs, InputOf, JobSchemas, OutputOf, Sendable, StandardSchema } from './job-types.ts';
export type { JobFilter, JobList, JobPage, JobsOptions } from './jobs.ts';
export type { Limits, OnAbort } from './limits.ts';
export type { TransportName } from './live/transport.ts';
export type { Listening, Updates } from './live/updates.ts';
export { idempotencyKey, unwrap } from './mutate.ts';
export type { SubmitOptions, Submission } from './submission.ts';
export { type FileOptions, type TransferProgress, UploadedFile } from './uploaded-file.ts';
export type { JobUpdate, UpdatesFilter } from './workspace-updates.ts';
