import { z } from 'zod';
import type { Queryable } from '../../database/queryable.ts';
import { httpUrl, textIssues } from '../../input.ts';
import { visible } from '../../workspaces/viewer.ts';
import type { Job } from '../../jobs/model/job.ts';
import { sqlIs } from '../../jobs/model/state-machine.ts';
import { answer, type Answer } from '../core/answer.ts';
import { jsonBody } from '../core/request-body.ts';
import type { Route } from '../core/call.ts';
import { RefusedError } from '../core/refusal.ts';
import { type Joining, submissionRoute } from '../core/submit.ts';
import { vidocuId } from './vidocu-id.ts';
import { OneAtATime } from './one-at-a-time.ts';

const text = z.string().max(10_000);
const language = z.string().min(2).max(35).describe('Language code.');

/** An operation on a video, as the vendor documents it: vidocu.ai/docs/operations. */
interface Operation {
  /** The last part of its path. */
  name: string;
  summary: string;
  type: string;
  body: z.ZodRawShape;
  /**
   * The answer's message if one is already under way for the video. The vendor documents it for analyses alone. Null if
   * another one is started: a second translation may be into another language, and must not be dropped.
   */
  inProgress: string | null;
}

const operations: readonly Operation[] = [
  {
    name: 'analyze',
    summary: 'Analyze a video',
    type: 'analysis',
    body: { videoContext: text.nullish(), companyContext: text.nullish(), language: language.nullish(), tone: text.nullish() },
    inProgress: 'Analysis already in progress',
  },
  {
    name: 'export',
    summary: 'Export a video',
    type: 'export',
    body: { language: language.nullish() },
    inProgress: null,
  },
  {
    name: 'translate',
    summary: 'Translate a video',
    type: 'translation',
    body: { language },
    inProgress: null,
  },
  {
    name: 'voiceover',
    summary: 'Generate a voiceover',
    type: 'voiceover',
    body: { voiceId: z.string().min(1).max(200), language: language.nullish() },
    inProgress: null,
  },
];

const created = z.object({ jobId: z.string(), status: z.literal('pending') });
const existing = z.object({ jobId: z.string(), status: z.literal('processing'), message: z.string() });

/** Ours: the vendor's hooks are registered in its dashboard, here a job names its own. */
const hook = httpUrl.nullish().describe('Told when this job has ended.');

const places = { type: [], input: [], webhookUrl: ['webhookUrl'] };

/** POST /v1/videos/:id/analyze and its like: the job's input is the body, and the video's id as `videoId`. */
export const operationRoutes: readonly Route[] = operations.map(({ name, summary, type, body, inProgress }) =>
  submissionRoute({
    path: `/v1/videos/{id}/${name}`,
    summary,
    body: jsonBody({ ...body, webhookUrl: hook }),
    emptyBody: {},
    answers: {
      202: { description: 'The job was created.', schema: created },
      ...(inProgress === null ? {} : { 200: { description: 'The job that is under way already, as it was asked for, its webhookUrl included.', schema: existing } }),
    },
    places,
    submission: ({ body: { webhookUrl, ...sent }, param }) => ({ type, input: { ...sent, videoId: param }, webhookUrl }),
    accepted: (_call, job) => accepted(job),
    joining: inProgress === null ? undefined : joining(type, inProgress),
  }),
);

/** POST /v1/tools/:type/execute: a `tool` job whose input is the body, and the tool's name as `tool`. */
export const executeRoute = submissionRoute({
  path: '/v1/tools/{type}/execute',
  summary: 'Execute a tool',
  body: jsonBody({ webhookUrl: hook }),
  emptyBody: {},
  answers: { 202: { description: 'The job was created.', schema: created.extend({ tool: z.string() }) } },
  places,
  submission: ({ body: { webhookUrl, ...sent }, param: tool }) => ({ type: 'tool', input: { ...sent, tool }, webhookUrl }),
  accepted: ({ param: tool }, job) => accepted(job, { tool }),
});

function accepted(job: Job, more: object = {}): Answer {
  return answer(202, { jobId: vidocuId(job), status: 'pending', ...more });
}

const submissions = new OneAtATime();

/** Two clients that ask at once get one job, unless different processes serve them. */
function joining(type: string, message: string): Joining {
  return {
    async answer({ services, viewer, param: videoId }, create, join) {
      // Checked here, not with the job: the search comes first.
      const issues = textIssues(videoId, ['videoId']);
      if (issues.length > 0) throw new RefusedError({ kind: 'INVALID_BODY', issues });
      return submissions.run(JSON.stringify([viewer.workspaceId, type, videoId]), async () => {
        const { tags = null, anyTags = tags } = visible(viewer, {});
        const id = await underWay(services.database.reads, viewer.workspaceId, type, videoId, anyTags);
        return id === null ? create() : join({ id, type });
      });
    },
    joined: (job) => answer(200, { jobId: vidocuId(job), status: 'processing', message }),
  };
}

/** The newest job of a type for a video that has not ended, with one of these tags where given; null if there is none. */
export async function underWay(
  database: Queryable,
  workspaceId: string,
  type: string,
  videoId: string,
  tags: readonly string[] | null = null,
): Promise<string | null> {
  const [row] = await database.query<{ id: string }>(
    `SELECT job.id FROM job
     WHERE job.workspace_id = $1::uuid AND job.type = $2 AND ${sqlIs.cancellable} AND job.input ->> 'videoId' = $3
       AND ($4::text[] IS NULL OR job.tags && $4::text[])
     ORDER BY job.id DESC LIMIT 1`,
    [workspaceId, type, videoId, tags],
  );
  return row?.id ?? null;
}
