import type { Job } from '../../jobs/model/job.ts';
import { answerJob } from '../core/job-status.ts';
import { type Route, route } from '../core/call.ts';
import { answeredAtOnce, envelope } from './envelope.ts';
import { projectRevid, revidJob } from './revid-job.ts';
import { object, text } from './python.ts';
import { queueLength } from './queue-length.ts';
import { reference } from './caller-reference.ts';

/** What answers call it, whichever way it was asked. */
const endpoint = '/v1/toolkit/job/status';

const body = object({
  job_id: text().describe('The job that is asked for.'),
  id: reference,
});

/** The name under which RevidAPI offers it, and that of the toolkit which it is made from. */
const paths = ['/paid/get/job/status', endpoint];

/** POST /paid/get/job/status. */
export const statusRoutes: readonly Route[] = paths.map((path) =>
  route({
    kind: 'status',
    method: 'POST',
    path,
    summary: 'Get the status of a job',
    scope: 'READ',
    body,
    answers: { 200: { description: 'The job.', schema: envelope.extend({ response: revidJob }) } },
    async handle(call) {
      const startedAt = performance.now();
      const { services, viewer } = call;
      const { job_id: asked, id = null } = call.body;
      const project = (job: Job) => projectRevid(job, process.pid, services.links, services.clock.now());
      return answerJob(call, asked, project, async (job) =>
        answeredAtOnce(
          { endpoint, id, jobId: job.job_id, response: job },
          { startedAt, queueLength: await queueLength(services.jobs, viewer) },
        ),
      );
    },
  }),
);
