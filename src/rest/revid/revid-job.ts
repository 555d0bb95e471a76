import { z } from 'zod';
import type { ArtifactLinks } from '../../files/links.ts';
import { mainFile } from '../../jobs/read/main-file.ts';
import type { Job } from '../../jobs/model/job.ts';
import { type JobPhase, phaseOf } from '../../jobs/model/state-machine.ts';
import { cancelledMessage } from '../core/results.ts';
import { type Envelope, envelope } from './envelope.ts';
import { server } from './revid-server.ts';

export const revidStatuses = ['queued', 'running', 'done'] as const;
type RevidStatus = (typeof revidStatuses)[number];

/** A job, inside the envelope of the request that asked. */
export const revidJob = z.object({
  job_status: z.enum(revidStatuses),
  job_id: z.uuid(),
  queue_id: z.int(),
  process_id: z.int(),
  response: envelope.nullable().describe('How the job ended; null until it has.'),
});

/**
 * The job as RevidAPI shows it: a pure function of the row.
 * @param pid the process that answers; which one ran the job is not kept
 */
export function projectRevid(job: Job, pid: number, links: ArtifactLinks, at: Date): z.output<typeof revidJob> {
  const status = revidStatus(phaseOf(job.status, job.attempt));
  return {
    job_status: status,
    job_id: job.id,
    queue_id: server.queueId,
    process_id: pid,
    response: status === 'done' ? innerResponse(job, pid, links, at) : null,
  };
}

export function revidStatus(phase: JobPhase): RevidStatus {
  switch (phase) {
    case 'waiting':
      return 'queued';
    case 'working':
      return 'running';
    // The inner response says how it ended.
    case 'completed':
    case 'failed':
    case 'cancelled':
      return 'done';
  }
}

/** How a job ended, in the envelope of its own request; webhooks carry the same. */
export function innerResponse(job: Job, pid: number, links: ArtifactLinks, at: Date): Envelope {
  const finishedAt = job.finishedAt ?? job.createdAt;
  const startedAt = job.startedAt ?? finishedAt;
  const queued = millisecondsBetween(job.createdAt, startedAt);
  const ran = millisecondsBetween(startedAt, finishedAt);
  const { code, response, message } = outcomeOf(job, links, at);
  return {
    endpoint: `/v1/${job.type}`,
    code,
    id: job.clientReference,
    job_id: job.id,
    response,
    message,
    pid,
    queue_id: server.queueId,
    run_time: ran / 1_000,
    queue_time: queued / 1_000,
    total_time: (ran + queued) / 1_000,
    // Not kept.
    queue_length: 0,
    build_number: server.buildNumber,
  };
}

function outcomeOf(job: Job, links: ArtifactLinks, at: Date): Pick<Envelope, 'code' | 'response' | 'message'> {
  const phase = phaseOf(job.status, job.attempt);
  switch (phase) {
    case 'completed':
      return { code: 200, response: job.output ?? mainFile(job, links, at)?.url ?? null, message: 'success' };
    case 'failed':
      return { code: 500, response: null, message: job.error?.message ?? 'The job failed' };
    case 'cancelled':
      return { code: 500, response: null, message: cancelledMessage };
    case 'waiting':
    case 'working':
      throw new Error('a job that has not ended has no response');
  }
}

/** Never negative, whatever the clocks of two machines say. */
function millisecondsBetween(from: Date, to: Date): number {
  return Math.max(to.getTime() - from.getTime(), 0);
}
