import { z } from 'zod';
import { httpUrl } from '../../input.ts';
import { answer } from '../core/answer.ts';
import { parsedJson } from '../core/request-body.ts';
import type { Call } from '../core/call.ts';
import { submissionRoute as routeOf } from '../core/submit.ts';
import { instant } from './vydra-job.ts';

const body = z.object({
  workflow: z.string().min(1).describe('Slug of a job type, for example house-timelapse.'),
  input: z.record(z.string(), parsedJson).default({}).describe("The workflow's own parameters."),
  webhookUrl: httpUrl.optional().describe('Told when the job has completed or failed.'),
});

const created = z.object({
  id: z.uuid(),
  status: z.literal('running').describe('Always this word; the job itself says whether it runs yet.'),
  workflow: z.string(),
  creditsCharged: z.int(),
  createdAt: instant,
  _links: z.object({ self: z.url(), status: z.url() }),
});

const places = { type: ['workflow'], input: ['input'], webhookUrl: ['webhookUrl'] };

/** POST /api/v1/jobs. */
export const submissionRoute = routeOf({
  path: '/api/v1/jobs',
  summary: 'Create a job',
  body,
  // The client is told which field is missing.
  emptyBody: {},
  answers: { 201: { description: 'The job was created.', schema: created } },
  places,
  submission: ({ body: { workflow, input, webhookUrl } }) => ({ type: workflow, input, webhookUrl }),
  accepted(call, job) {
    const self = urlOf(call, job.id);
    return answer(201, {
      id: job.id,
      status: 'running',
      workflow: job.type,
      creditsCharged: job.creditsCharged,
      createdAt: job.createdAt.toISOString(),
      _links: { self, status: self },
    } satisfies z.output<typeof created>);
  },
});

/** Under the base URL that the client used: its next request goes there. */
function urlOf({ base }: Pick<Call, 'base'>, id: string): string {
  return `${base}/api/v1/jobs/${id}`;
}
