import { z } from 'zod';
import type { ArtifactLinks } from '../../files/links.ts';
import { ownFile } from '../../jobs/read/main-file.ts';
import type { Job } from '../../jobs/model/job.ts';
import type { JsonObject } from '../../json.ts';
import { type JobPhase, phaseOf } from '../../jobs/model/state-machine.ts';
import { wrapped } from '../core/results.ts';

export const vydraStatuses = ['pending', 'running', 'completed', 'failed', 'cancelled'] as const;
type VydraStatus = (typeof vydraStatuses)[number];

export const instant = z.iso.datetime({ precision: 3 });

/** One of GET /api/v1/jobs. */
export const vydraItem = z.object({
  id: z.uuid(),
  status: z.enum(vydraStatuses),
  progress: z.number().min(0).max(100).describe('Percent. Only the status tells that a job has ended.'),
  workflowSlug: z.string(),
  statusMessage: z.string(),
  creditsCharged: z.int(),
  createdAt: instant,
  completedAt: instant.nullable().describe('Set in every final state.'),
  output: z.record(z.string(), z.json()).nullable().describe('Completed jobs only.'),
  error: z.object({ message: z.string(), code: z.string() }).optional().describe('Failed jobs only.'),
  creditsRefunded: z.int().optional().describe('Failed and cancelled jobs only.'),
  refundStatus: z.enum(['completed', 'none']).optional().describe('`none` where nothing had been charged.'),
});

/** GET /api/v1/jobs/{id}: the vendor shows a different part of it for each state; here all of it is one object. */
export const vydraJob = vydraItem.extend({ workflow: z.string() });

type VydraItem = z.output<typeof vydraItem>;

/** The job as Vydra shows it: a pure function of the row. */
export function projectVydra(job: Job, links: ArtifactLinks, at: Date): z.output<typeof vydraJob> {
  return { ...projectItem(job, links, at), workflow: job.type };
}

/** The job as Vydra lists it. */
export function projectItem(job: Job, links: ArtifactLinks, at: Date): VydraItem {
  return {
    id: job.id,
    ...stateOf(job, () => outputOf(job, links, at)),
    workflowSlug: job.type,
    creditsCharged: job.creditsCharged,
    createdAt: job.createdAt.toISOString(),
    completedAt: job.finishedAt?.toISOString() ?? null,
  };
}

type State = Pick<
  VydraItem,
  'status' | 'progress' | 'statusMessage' | 'output' | 'error' | 'creditsRefunded' | 'refundStatus'
>;

function stateOf(job: Job, output: () => JsonObject | null): State {
  const phase = phaseOf(job.status, job.attempt);
  const progress = job.progress?.percentage ?? 0;
  switch (phase) {
    case 'waiting':
      return { status: 'pending', progress: 0, statusMessage: 'Waiting to start...', output: null };
    case 'working':
      return { status: 'running', progress, statusMessage: job.progress?.message ?? 'Running', output: null };
    case 'completed':
      return { status: 'completed', progress: 100, statusMessage: 'Completed successfully', output: output() };
    case 'failed': {
      const error = errorOf(job);
      return { status: 'failed', progress, statusMessage: error.message, output: null, error, ...refundOf(job) };
    }
    case 'cancelled':
      return { status: 'cancelled', progress, statusMessage: 'Job cancelled', output: null, ...refundOf(job) };
  }
}

/** The vendor's word for the job's state, for refusals. */
export function statusOf(job: Job): VydraStatus {
  return stateOf(job, () => null).status;
}

/** The phases that are shown as a status. */
export const phasesOf = {
  pending: ['waiting'],
  running: ['working'],
  completed: ['completed'],
  failed: ['failed'],
  cancelled: ['cancelled'],
} as const satisfies Record<VydraStatus, readonly JobPhase[]>;

/**
 * The sample client reads fields of it: an object, or null for a job that gave nothing. The URLs of the job's first video and
 * first image are added where the vendor's clients look for them, if its worker has put nothing there.
 */
export function outputOf(job: Job, links: ArtifactLinks, at: Date): JsonObject | null {
  const video = ownFile(job, links, at, job.videoArtifactId);
  const image = ownFile(job, links, at, job.imageArtifactId);
  if (job.output === null && video === null && image === null) return null;
  return {
    ...(video === null ? {} : { videoUrl: video.url }),
    ...(image === null ? {} : { thumbnailUrl: image.url }),
    ...(job.output === null ? {} : wrapped(job.output)),
  };
}

/** How a job failed, in the vendor's words if its worker gave none. */
export function errorOf({ error }: Job): { message: string; code: string } {
  return { message: error?.message ?? 'Processing error', code: error?.code ?? 'PROCESSING_ERROR' };
}

function refundOf({ creditsRefunded }: Job): Required<Pick<VydraItem, 'creditsRefunded' | 'refundStatus'>> {
  return { creditsRefunded, refundStatus: creditsRefunded > 0 ? 'completed' : 'none' };
}
