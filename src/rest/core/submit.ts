import { ValidationError } from '../../errors.ts';
import { checkInput } from '../../input.ts';
import { idempotencyKey, type JobOrigin } from '../../jobs/create/job-request.ts';
import type { Job, JsonObject } from '../../jobs/model/job.ts';
import { parsedJson, sentBody } from './request-body.ts';
import { type Answer, jobIdHeader } from './answer.ts';
import { type Call, type Route, route } from './call.ts';
import { RefusedError } from './refusal.ts';
import type { Endpoint } from './rest-endpoint.ts';

export interface Submission {
  type: string;
  input: JsonObject;
  webhookUrl?: string | null | undefined;
  /** The submitter's own reference (RevidAPI's `id`). */
  clientReference?: string | null | undefined;
}

/** Where in the body the client sent each part of a submission, so that issues can name it; `[]` is the body itself. */
export interface Places {
  type: readonly string[];
  input: readonly string[];
  webhookUrl: readonly string[];
}

/** A route that creates a job. */
export interface SubmissionEndpoint<Body, Before> extends Omit<Endpoint<unknown, Body>, 'kind' | 'method' | 'scope' | 'query'> {
  places: Places;
  /** What the body asks for. May throw a RefusedError. */
  submission(call: Call<unknown, Body>): Submission;
  /** Read before the job exists, because a client sends a request that failed again. */
  before?(call: Call<unknown, Body>): Promise<Before>;
  /** The same for the same job, whatever became of it: a repeated request gets this answer again. */
  accepted(call: Call<unknown, Body>, job: Job, before: Before | undefined): Answer;
  /** Answers in the place of a new job; null to create it. Not asked where the request made a job before. */
  instead?: ((call: Call<unknown, unknown>, create: () => Promise<Answer>) => Promise<Answer>) | undefined;
}

/**
 * `POST` that creates a job: PENDING and charged, or nothing at all. With the header `Idempotency-Key` the same request
 * within 24 hours gets the same answer and is charged once. It is looked for before the request is refused for anything else.
 */
export function submissionRoute<Body, Before = undefined>(options: SubmissionEndpoint<Body, Before>): Route {
  const { places, submission, before, accepted, instead, ...endpoint } = options;
  return route<unknown, Body>({
    ...endpoint,
    kind: 'submit',
    method: 'POST',
    scope: 'WRITE',
    async handle(call) {
      const key = keyOf(call);
      const answerWith = async (job: Job, known: Before | undefined) => {
        const { headers, ...answer } = accepted(call, job, known);
        return { ...answer, headers: { ...headers, ...jobIdHeader(job) } };
      };
      const earlier = async () => (key === null ? null : call.services.jobs.earlier(call.viewer.workspaceId, key, originOf(call)));
      const known = await before?.(call);
      const asked = await checked(() => submission(call), earlier);
      if ('id' in asked) return answerWith(asked, known);
      const create = async () => answerWith(await submit(call, asked, places, key), known);
      if (instead === undefined) return create();
      const made = await earlier();
      return made === null ? instead(call, create) : answerWith(made, known);
    },
  });
}

/** What the body asks for, or the job that the same request made before if the body is no longer valid. */
async function checked(read: () => Submission, earlier: () => Promise<Job | null>): Promise<Submission | Job> {
  try {
    return read();
  } catch (error) {
    const job = await earlier();
    if (job === null) throw error;
    return job;
  }
}

/** @throws RefusedError INVALID_HEADER */
function keyOf({ request }: Call<unknown, unknown>): string | null {
  const key = request.headers['idempotency-key'];
  if (key === undefined) return null;
  const valid = checkInput(idempotencyKey, key);
  if (valid.ok) return valid.value;
  const issues = valid.issues.map(({ message }) => ({ path: ['Idempotency-Key'], message }));
  throw new RefusedError({ kind: 'INVALID_HEADER', issues });
}

/** An idempotency key stands for the route, its parameter and the body, as they came. */
function originOf({ dialect, route: { path }, param, request }: Call<unknown, unknown>): JobOrigin {
  const sent = { dialect: dialect.name, path, param, body: parsedJson.parse(sentBody(request) ?? null) };
  return { dialect: dialect.name, sent };
}

/** @throws RefusedError INVALID_BODY, its paths as the client sent the fields; and what Jobs.create throws */
async function submit(
  call: Call<unknown, unknown>,
  { clientReference = null, ...asked }: Submission,
  places: Places,
  key: string | null,
): Promise<Job> {
  const { services, viewer } = call;
  try {
    const request = { ...asked, idempotencyKey: key };
    return await services.jobs.create(viewer.workspaceId, request, { ...originOf(call), clientReference });
  } catch (error) {
    if (!(error instanceof ValidationError)) throw error;
    const issues = error.issues.map(({ path, message }) => ({ path: placeOf(path, places), message }));
    throw new RefusedError({ kind: 'INVALID_BODY', issues });
  }
}

function placeOf([part, ...rest]: string[], places: Places): string[] {
  switch (part) {
    case 'type':
    case 'input':
    case 'webhookUrl':
      return [...places[part], ...rest];
    case undefined:
      return [];
    default:
      return [part, ...rest];
  }
}
