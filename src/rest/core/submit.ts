import { ValidationError } from '../../errors.ts';
import { checkInput } from '../../input.ts';
import type { EarlierJob } from '../../jobs/create/idempotency.ts';
import { idempotencyKey, type JobOrigin } from '../../jobs/create/job-request.ts';
import type { Job } from '../../jobs/model/job.ts';
import type { JsonObject } from '../../json.ts';
import { submitterOf } from '../../workspaces/viewer.ts';
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
interface Places {
  type: readonly string[];
  input: readonly string[];
  /** Fields of the input that the client knows by another name. */
  renamed?: Readonly<Record<string, string>>;
  webhookUrl: readonly string[];
}

/** A route that creates a job. */
interface SubmissionEndpoint<Body, Before> extends Omit<Endpoint<unknown, Body>, 'kind' | 'method' | 'scope' | 'query'> {
  places: Places;
  /** What the body asks for. May throw a RefusedError. */
  submission(call: Call<unknown, Body>): Submission;
  /** Read before the job exists, because a client sends a request that failed again. */
  before?(call: Call<unknown, Body>): Promise<Before>;
  /** The same for the same job, whatever became of it: a repeated request gets this answer again. */
  accepted(call: Call<unknown, Body>, job: Job, before: Before | undefined): Answer;
  /** Where a job that is under way may take the place of a new one. */
  joining?: Joining | undefined;
}

export interface Joining {
  /** Joins a job that is under way, or creates one. Not asked where the request was answered before. */
  answer(call: Call<unknown, unknown>, create: () => Promise<Answer>, join: (job: JoinedJob) => Promise<Answer>): Promise<Answer>;
  /** Says that the job is under way: a repeated request gets this answer again. */
  joined(job: JoinedJob): Answer;
}

type JoinedJob = Pick<Job, 'id' | 'type'>;

/**
 * `POST` that creates a job: PENDING and charged, or nothing at all. With the header `Idempotency-Key` the same request
 * within 24 hours gets the same answer and is charged once. It is looked for before the request is refused for anything else.
 */
export function submissionRoute<Body, Before = undefined>(options: SubmissionEndpoint<Body, Before>): Route {
  const { places, submission, before, accepted, joining, ...endpoint } = options;
  return route<unknown, Body>({
    ...endpoint,
    kind: 'submit',
    method: 'POST',
    scope: 'WRITE',
    async handle(call) {
      const key = keyOf(call);
      const { services, viewer } = call;
      const earlier = async () => (key === null ? null : services.jobs.earlier(viewer.workspaceId, key, originOf(call)));
      const known = await before?.(call);
      const again = ({ job, wasJoined }: EarlierJob) =>
        about(job, wasJoined && joining !== undefined ? joining.joined(job) : accepted(call, job, known));
      const asked = await checked(() => submission(call), earlier);
      if ('job' in asked) return again(asked);
      const create = async () => {
        const job = await submit(call, asked, places, key);
        return about(job, accepted(call, job, known));
      };
      if (joining === undefined) return create();
      const made = await earlier();
      if (made !== null) return again(made);
      return joining.answer(call, create, async (job) => {
        const isFirst = key === null || (await services.jobs.join(viewer.workspaceId, key, originOf(call), job.id));
        // Another process was faster with this key.
        const other = isFirst ? null : await earlier();
        return other === null ? about(job, joining.joined(job)) : again(other);
      });
    },
  });
}

/** What the body asks for, or the job that the same request got before if the body is no longer valid. */
async function checked(read: () => Submission, earlier: () => Promise<EarlierJob | null>): Promise<Submission | EarlierJob> {
  try {
    return read();
  } catch (error) {
    const made = await earlier();
    if (made === null) throw error;
    return made;
  }
}

function about(job: Pick<Job, 'id'>, { headers, ...answer }: Answer): Answer {
  return { ...answer, headers: { ...headers, ...jobIdHeader(job) } };
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
function originOf({ dialect, route: { path }, param, request, viewer }: Call<unknown, unknown>): JobOrigin {
  const sent = { dialect: dialect.name, path, param, body: parsedJson.parse(sentBody(request) ?? null) };
  return { dialect: dialect.name, submitter: submitterOf(viewer), sent };
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
    case 'input':
      return [...places.input, ...rest.map((field, depth) => (depth === 0 ? (places.renamed?.[field] ?? field) : field))];
    case 'type':
    case 'webhookUrl':
      return [...places[part], ...rest];
    case undefined:
      return [];
    default:
      return [part, ...rest];
  }
}
