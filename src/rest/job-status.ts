import { validate as isUuid } from 'uuid';
import type { z } from 'zod';
import { NotFoundError } from '../errors.ts';
import type { Job } from '../jobs/job.ts';
import { isFinal } from '../jobs/state-machine.ts';
import type { Services } from '../services.ts';
import { maySee, type Viewer } from '../workspaces/viewer.ts';
import { answer, type Answer } from './answer.ts';
import type { Call } from './call.ts';
import { entityTag, isKnown } from './etag.ts';
import { waitWanted } from './holds.ts';
import type { Route } from './route.ts';

/** What a dialect shows of a job: a pure function of the row, and of what the URLs in it are made with. */
export type Projection = (job: Job, call: Call) => object | Promise<object>;

/** Finds the job that an id names in a workspace; null for none. */
export type FindJob = (services: Services, workspaceId: string, id: string) => Promise<Job | null>;

/** `GET /…/{id}`: one job, as it is now. */
export function statusRoute(options: {
  path: string;
  summary: string;
  schema: z.ZodType;
  project: Projection;
  /** By UUID where not given. */
  find?: FindJob;
}): Route {
  const { path, summary, schema, project, find = findByUuid } = options;
  return {
    kind: 'status',
    method: 'GET',
    path,
    summary,
    scope: 'READ',
    answers: {
      200: { description: 'The job.', schema },
      304: { description: 'The job has not changed since the answer whose ETag came as If-None-Match.', schema: null },
    },
    handle: (call) => answerJob(call, call.param, find, project),
  };
}

/**
 * Answers with the job that the id names. Every poll of every dialect comes through here. With `Prefer: wait=N` the answer
 * is held until the job is another than the client knows, or than it was when it asked. Throws NotFoundError for none,
 * and for one that the key does not open.
 */
export async function answerJob(call: Call, id: string, find: FindJob, project: Projection): Promise<Answer> {
  const { services, viewer, dialect, request } = call;
  const { method, headers } = request;
  let job = visibleJob(viewer, await find(services, viewer.workspaceId, id));
  // A POST is answered in full, whatever its client knows: it has no validators.
  const ifNoneMatch = method === 'POST' ? undefined : headers['if-none-match'];
  const wait = waitWanted(headers['prefer']);
  const isNews = ifNoneMatch !== undefined && !isKnown(entityTag(dialect, job), ifNoneMatch);
  if (wait !== null && !isNews && !isFinal(job.status)) {
    await call.holdUntilNewer(job, wait);
    job = visibleJob(viewer, await find(services, viewer.workspaceId, id));
  }
  const applied = wait === null ? {} : { 'preference-applied': `wait=${wait}` };
  if (method === 'POST') return answer(200, await project(job, call), applied);
  const etag = entityTag(dialect, job);
  if (isKnown(etag, ifNoneMatch)) return { status: 304, body: '', headers: { etag, ...applied } };
  return answer(200, await project(job, call), { etag, ...applied });
}

/** The job, if the viewer may see it. Throws NotFoundError. */
export function visibleJob(viewer: Viewer, job: Job | null): Job {
  if (job === null || !maySee(viewer, job)) throw new NotFoundError('Job');
  return job;
}

/** The job with this UUID in the workspace; null for whatever is no UUID, too. */
export async function findByUuid({ jobs }: Services, workspaceId: string, id: string): Promise<Job | null> {
  return isUuid(id) ? jobs.find(workspaceId, id.toLowerCase()) : null;
}
