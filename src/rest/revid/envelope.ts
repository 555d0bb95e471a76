import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { server } from './revid-server.ts';

const seconds = z.number().min(0).describe('Seconds, to the millisecond.');

/** RevidAPI wraps every answer in these thirteen keys, and a job's result, inside its answer, in the same thirteen. */
export const envelope = z.object({
  endpoint: z.string(),
  code: z.int(),
  id: z.string().nullable().describe("The submitter's own reference."),
  job_id: z.string(),
  response: z.json(),
  message: z.string(),
  pid: z.int(),
  queue_id: z.int(),
  run_time: seconds,
  queue_time: seconds,
  total_time: seconds,
  queue_length: z.int().describe('Jobs that wait.'),
  build_number: z.string(),
});

export type Envelope = z.output<typeof envelope>;

/** The answer to a request that is not a job and never waits in a queue. */
export function answeredAtOnce(
  about: Pick<Envelope, 'endpoint' | 'id' | 'response'> & { code?: number; message?: string; jobId?: string },
  { startedAt, queueLength }: { startedAt: number; queueLength: number },
): Envelope {
  const { endpoint, code = 200, id, jobId = randomUUID(), response, message = 'success' } = about;
  const took = Math.round(performance.now() - startedAt) / 1_000;
  return {
    endpoint,
    code,
    id,
    job_id: jobId,
    response,
    message,
    pid: process.pid,
    queue_id: server.queueId,
    run_time: took,
    queue_time: 0,
    total_time: took,
    queue_length: queueLength,
    build_number: server.buildNumber,
  };
}
