import { createdAtOf } from '../../database/ids.ts';
import type { Dialect } from '../../workspaces/dialect.ts';
import type { Job, JobProgress, JsonObject, JsonValue } from './job.ts';
import type { JobStatus } from './state-machine.ts';

const names = [
  'id',
  'workspace_id',
  'type',
  'status',
  'version',
  'input',
  'progress_step',
  'progress_message',
  'progress_percentage',
  'output',
  'error_code',
  'error_message',
  'tags',
  'priority',
  'attempt',
  'failed_attempts',
  'max_attempts',
  'credits_charged',
  'credits_refunded',
  'webhook_url',
  'client_reference',
  'dialect',
  'artifact_id',
  'artifact_expires_at',
  'retry_of_id',
  'cancel_reason',
  'run_at',
  'due_at',
  'started_at',
  'finished_at',
  'status_changed_at',
  'updated_at',
] as const;

/** The columns of a Job, from the table or from a CTE that returns whole rows. */
export function jobColumns(of: string): string {
  return names.map((name) => `${of}.${name}`).join(', ');
}

/** Like `jobColumns`, but every column is NULL in rows that do not meet the condition. */
export function jobColumnsWhere(of: string, condition: string): string {
  return names.map((name) => `CASE WHEN ${condition} THEN ${of}.${name} END AS ${name}`).join(', ');
}

/** A row of `jobColumns` as both drivers return it: timestamps as text, JSON and arrays parsed. */
export interface JobRow {
  id: string;
  workspace_id: string;
  type: string;
  status: JobStatus;
  version: number;
  input: JsonObject;
  progress_step: string | null;
  progress_message: string | null;
  progress_percentage: number | null;
  output: JsonValue;
  error_code: string | null;
  error_message: string | null;
  tags: string[];
  priority: number;
  attempt: number;
  failed_attempts: number;
  max_attempts: number;
  credits_charged: number;
  credits_refunded: number;
  webhook_url: string | null;
  client_reference: string | null;
  dialect: Dialect;
  artifact_id: string | null;
  artifact_expires_at: string | null;
  retry_of_id: string | null;
  cancel_reason: string | null;
  run_at: string | null;
  due_at: string;
  started_at: string | null;
  finished_at: string | null;
  status_changed_at: string;
  updated_at: string;
}

export function jobFromRow(row: JobRow): Job {
  return {
    id: row.id,
    workspaceId: row.workspace_id,
    type: row.type,
    status: row.status,
    version: row.version,
    input: row.input,
    progress: progressOf(row),
    output: row.output,
    error: row.error_code === null ? null : { code: row.error_code, message: row.error_message ?? '' },
    tags: row.tags,
    priority: row.priority,
    attempt: row.attempt,
    failedAttempts: row.failed_attempts,
    maxAttempts: row.max_attempts,
    creditsCharged: row.credits_charged,
    creditsRefunded: row.credits_refunded,
    webhookUrl: row.webhook_url,
    clientReference: row.client_reference,
    dialect: row.dialect,
    artifactId: row.artifact_id,
    artifactExpiresAt: instant(row.artifact_expires_at),
    retryOfId: row.retry_of_id,
    cancelReason: row.cancel_reason,
    runAt: instant(row.run_at),
    dueAt: new Date(row.due_at),
    createdAt: createdAtOf(row.id),
    startedAt: instant(row.started_at),
    finishedAt: instant(row.finished_at),
    statusChangedAt: new Date(row.status_changed_at),
    updatedAt: new Date(row.updated_at),
  };
}

function progressOf(row: JobRow): JobProgress | null {
  const { progress_step: step, progress_message: message, progress_percentage: percentage } = row;
  return step === null && message === null && percentage === null ? null : { step, message, percentage };
}

function instant(text: string | null): Date | null {
  return text === null ? null : new Date(text);
}
