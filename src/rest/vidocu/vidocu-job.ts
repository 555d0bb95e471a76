import { z } from 'zod';
import type { ArtifactLinks } from '../../files/links.ts';
import { ownFile } from '../../jobs/read/main-file.ts';
import type { Job, JobProgress } from '../../jobs/model/job.ts';
import type { JsonObject } from '../../json.ts';
import { type JobPhase, phaseOf } from '../../jobs/model/state-machine.ts';
import { cancelledMessage, wrapped } from '../core/results.ts';
import { vidocuId, vidocuType, vidocuTypes } from './vidocu-id.ts';

const vidocuStatuses = ['pending', 'processing', 'completed', 'failed'] as const;

const progress = z.object({
  step: z.string(),
  message: z.string(),
  percentage: z.number().min(0).max(100).optional().describe('Absent while it cannot be told.'),
});

const instant = z.iso.datetime({ precision: 3 });

/** GET /v1/jobs/:id: exactly these eight keys; null is the empty value. */
export const vidocuJob = z.object({
  jobId: z.string(),
  type: z.enum(vidocuTypes),
  status: z.enum(vidocuStatuses),
  progress: progress.nullable().describe('While the job is processing.'),
  result: z.record(z.string(), z.json()).nullable().describe('When the job is completed.'),
  error: z.string().nullable().describe('When the job has failed.'),
  createdAt: instant,
  updatedAt: instant.describe('Moves on every change of status and every report of progress.'),
});

type VidocuJob = z.output<typeof vidocuJob>;

/** The job as Vidocu shows it: a pure function of the row. */
export function projectVidocu(job: Job, links: ArtifactLinks, at: Date): VidocuJob {
  return {
    jobId: vidocuId(job),
    type: vidocuType(job.type),
    ...stateOf(job, phaseOf(job.status, job.attempt), () => resultOf(job, links, at)),
    createdAt: job.createdAt.toISOString(),
    updatedAt: job.updatedAt.toISOString(),
  };
}

function stateOf(
  job: Job,
  phase: JobPhase,
  result: () => JsonObject,
): Pick<VidocuJob, 'status' | 'progress' | 'result' | 'error'> {
  switch (phase) {
    case 'waiting':
      return { status: 'pending', progress: null, result: null, error: null };
    case 'working':
      return { status: 'processing', progress: progressOf(job.progress), result: null, error: null };
    case 'completed':
      return { status: 'completed', progress: null, result: result(), error: null };
    case 'failed':
      return { status: 'failed', progress: null, result: null, error: job.error?.message ?? 'The job failed' };
    case 'cancelled':
      return { status: 'failed', progress: null, result: null, error: cancelledMessage };
  }
}

function progressOf(report: JobProgress | null): z.output<typeof progress> {
  const { step, message, percentage } = report ?? { step: null, message: null, percentage: null };
  return {
    step: step ?? 'processing',
    message: message ?? 'Job is running',
    ...(percentage === null ? {} : { percentage }),
  };
}

/** Always an object: the sample client passes `result` on unchecked. The URL of the job's file is added if it has none. */
export function resultOf(job: Job, links: ArtifactLinks, at: Date): JsonObject {
  const file = ownFile(job, links, at);
  const { output } = job;
  return { ...(file === null ? {} : { url: file.url }), ...(output === null ? {} : wrapped(output)) };
}
