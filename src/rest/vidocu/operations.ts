import { z } from 'zod';
import type { Queryable } from '../../database/database.ts';
import { textIssues } from '../../input.ts';
import type { JsonObject } from '../../jobs/job.ts';
import { sqlIs } from '../../jobs/state-machine.ts';
import { answer, type Answer } from '../answer.ts';
import { jsonBody } from '../body.ts';
import type { Call } from '../call.ts';
import { RefusedError } from '../refusal.ts';
import { type Route, route } from '../route.ts';
import { submit } from '../submit.ts';
import { vidocuId } from './id.ts';
import { Turns } from './turns.ts';

const text = z.string().max(10_000);
const language = z.string().min(2).max(35).describe('Language code.');

/** What an operation on a video is, as far as the vendor's page of it goes: vidocu.ai/docs/operations. */
interface Operation {
  /** The last part of its path. */
  name: string;
  summary: string;
  type: string;
  body: z.ZodRawShape;
  /** What is said where one is under way for the video already; null where the vendor starts another. */
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
    inProgress: 'Export already in progress',
  },
  {
    name: 'translate',
    summary: 'Translate a video',
    type: 'translation',
    body: { language },
    inProgress: 'Translation already in progress',
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

const places = { type: [], input: [], webhookUrl: [] };

/** POST /v1/videos/:id/analyze and its like: the job's input is the body, and the video's id as `videoId`. */
export const operationRoutes: readonly Route[] = operations.map(({ name, summary, type, body, inProgress }) =>
  route({
    kind: 'submit',
    method: 'POST',
    path: `/v1/videos/{id}/${name}`,
    summary,
    scope: 'WRITE',
    body: jsonBody(body),
    emptyBody: {},
    answers: {
      202: { description: 'The job was created.', schema: created },
      ...(inProgress === null ? {} : { 200: { description: 'The job that is under way already.', schema: existing } }),
    },
    handle(call) {
      const input = { ...call.body, videoId: call.param };
      return inProgress === null ? create(call, type, input) : createOnce(call, type, input, inProgress);
    },
  }),
);

/** POST /v1/tools/:type/execute: a `tool` job whose input is the body, and the tool's name as `tool`. */
export const executeRoute = route({
  kind: 'submit',
  method: 'POST',
  path: '/v1/tools/{type}/execute',
  summary: 'Execute a tool',
  scope: 'WRITE',
  body: jsonBody({}),
  emptyBody: {},
  answers: { 202: { description: 'The job was created.', schema: created.extend({ tool: z.string() }) } },
  handle: (call) => create(call, 'tool', { ...call.body, tool: call.param }, { tool: call.param }),
});

async function create(call: Call, type: string, input: JsonObject, more: object = {}): Promise<Answer> {
  const job = await submit(call, { type, input }, places);
  return answer(202, { jobId: vidocuId(job), status: 'pending', ...more });
}

const turns = new Turns();

/** Two that ask at once get one job, unless different processes serve them. */
function createOnce(call: Call, type: string, input: JsonObject & { videoId: string }, message: string): Promise<Answer> {
  const { services, viewer } = call;
  const { videoId } = input;
  // Here rather than by the job's type: it is looked for before there is a job to check.
  const issues = textIssues(videoId, ['videoId']);
  if (issues.length > 0) throw new RefusedError({ kind: 'INVALID_BODY', issues });
  return turns.take(JSON.stringify([viewer.workspaceId, type, videoId]), async () => {
    const id = await underWay(services.context.database, viewer.workspaceId, type, videoId);
    if (id === null) return create(call, type, input);
    return answer(200, { jobId: vidocuId({ id, type }), status: 'processing', message });
  });
}

/** The newest job of a type for a video that has not ended; null where there is none. */
export async function underWay(
  database: Queryable,
  workspaceId: string,
  type: string,
  videoId: string,
): Promise<string | null> {
  const [row] = await database.query<{ id: string }>(
    `SELECT job.id FROM job
     WHERE job.workspace_id = $1::uuid AND job.type = $2 AND ${sqlIs.cancellable} AND job.input ->> 'videoId' = $3
     ORDER BY job.id DESC LIMIT 1`,
    [workspaceId, type, videoId],
  );
  return row?.id ?? null;
}
