import { z } from 'zod';
import { mainFile } from '../../jobs/read/main-file.ts';
import type { Job } from '../../jobs/model/job.ts';
import type { JsonObject } from '../../json.ts';
import { type JobPhase, phaseOf } from '../../jobs/model/state-machine.ts';
import type { ArtifactLinks } from '../../files/links.ts';
import { cancelledMessage, wrapped } from '../core/results.ts';
import { wholeSeconds } from '../core/timestamps.ts';

export const videoConduitStatuses = ['pending', 'processing', 'completed', 'failed'] as const;
type VideoConduitStatus = (typeof videoConduitStatuses)[number];

const status = z.enum(videoConduitStatuses);
const json = z.record(z.string(), z.json());
const instant = z.string().describe('`YYYY-MM-DDTHH:MM:SSZ`.');

/** GET /v1/jobs/{job_id}: always all twelve keys. */
export const videoConduitJob = z.object({
  job_id: z.uuid(),
  job_type: z.string(),
  status,
  source_url: z.string().describe('Empty where the job has none.'),
  parameters: json,
  credits_charged: z.int().describe('Unchanged by a refund.'),
  download_url: z.string().nullable().describe('Completed jobs only.'),
  result_data: json.nullable().describe('Completed jobs only.'),
  error_message: z.string().nullable().describe('Failed jobs only.'),
  created_at: instant,
  completed_at: instant.nullable().describe('Set in every final state.'),
  expires_at: instant.nullable().describe('When download_url expires; null for a URL of the result.'),
});

/** One of GET /v1/jobs. */
export const videoConduitItem = videoConduitJob.pick({
  job_id: true,
  job_type: true,
  status: true,
  source_url: true,
  credits_charged: true,
  created_at: true,
});

/**
 * The job as VideoConduit shows it: a pure function of the row.
 * @param at decides whether its file can still be downloaded
 */
export function projectVideoConduit(job: Job, links: ArtifactLinks, at: Date): z.output<typeof videoConduitJob> {
  const phase = phaseOf(job.status, job.attempt);
  const result = phase === 'completed' ? wrapped(job.output) : null;
  const file = result === null ? null : mainFile(job, links, at);
  return {
    job_id: job.id,
    job_type: job.type,
    status: statusOf(phase),
    source_url: sourceOf(job.input),
    parameters: parametersOf(job.input),
    credits_charged: job.creditsCharged,
    download_url: file?.url ?? null,
    result_data: result,
    error_message: errorOf(job, phase),
    created_at: wholeSeconds(job.createdAt),
    completed_at: job.finishedAt === null ? null : wholeSeconds(job.finishedAt),
    expires_at: file?.expiresAt == null ? null : wholeSeconds(file.expiresAt),
  };
}

/** The job as VideoConduit lists it. */
export function projectItem(job: Job): z.output<typeof videoConduitItem> {
  return {
    job_id: job.id,
    job_type: job.type,
    status: statusOf(phaseOf(job.status, job.attempt)),
    source_url: sourceOf(job.input),
    credits_charged: job.creditsCharged,
    created_at: wholeSeconds(job.createdAt),
  };
}

function statusOf(phase: JobPhase): VideoConduitStatus {
  switch (phase) {
    case 'waiting':
      return 'pending';
    case 'working':
      return 'processing';
    case 'completed':
      return 'completed';
    case 'failed':
    case 'cancelled':
      return 'failed';
  }
}

/** The phases that are shown as a status. */
export const phasesOf = {
  pending: ['waiting'],
  processing: ['working'],
  completed: ['completed'],
  failed: ['failed', 'cancelled'],
} as const satisfies Record<VideoConduitStatus, readonly JobPhase[]>;

function errorOf({ error }: Job, phase: JobPhase): string | null {
  switch (phase) {
    case 'failed':
      return error?.message ?? 'The job failed';
    case 'cancelled':
      return cancelledMessage;
    case 'waiting':
    case 'working':
    case 'completed':
      return null;
  }
}

/** The source, under the names that the types of this dialect and its neighbours use. */
function sourceOf(input: JsonObject): string {
  const source = [input['sourceUrl'], input['source_url'], input['url'], input['media_url']].find(
    (value) => typeof value === 'string',
  );
  return source ?? '';
}

/** As the client sent them, without the `sourceUrl` that the submission adds for workers. */
function parametersOf(input: JsonObject): JsonObject {
  if (input['url'] === undefined || input['url'] !== input['sourceUrl']) return input;
  const { sourceUrl: _added, ...sent } = input;
  return sent;
}
