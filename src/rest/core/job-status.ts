import type { z } from 'zod';
import { NotFoundError } from '../../errors.ts';
import type { Job } from '../../jobs/model/job.ts';
import { isFinal } from '../../jobs/model/state-machine.ts';
import { isSame } from '../../jobs/read/job-reads.ts';
import { maySee, type Viewer } from '../../workspaces/viewer.ts';
import { waitWanted } from '../../web/prefer.ts';
import { answer, type Answer, jobIdHeader } from './answer.ts';
import type { Call } from './call.ts';
import { callerOf } from './caller.ts';
import { isKnown } from './entity-tag.ts';
import type { Projection } from './projection.ts';
import type { Route } from './call.ts';
import { isOutdated, type ShownJob, shownJob } from './shown-jobs.ts';

/** `GET /…/{id}`: one job, as it is now. */
export function statusRoute(options: {
  path: string;
  summary: string;
  schema: z.ZodType;
  project: Projection;
}): Route {
  const { path, summary, schema, project } = options;
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
    countedMeanwhile: true,
    handle: (call) => answerPoll(call, project),
  };
}

/**
 * Answers with the job that the path names. With `Prefer: wait=N` the answer is held until the job is shown otherwise than
 * the client has it, or than it was when the client asked. Throws NotFoundError if there is none that the key opens.
 */
async function answerPoll(call: Call, project: Projection): Promise<Answer> {
  const { headers } = call.request;
  const ifNoneMatch = headers['if-none-match'];
  // Counted and read at the same time. A request that is one too many is refused for that, whatever was read: otherwise
  // ids could be guessed faster than the limit allows.
  const looking = look(call, project);
  looking.catch(() => undefined);
  await call.counted;
  const found = await looking;
  const wait = waitWanted(headers['prefer']);
  if (wait === null) return answerTo(found, ifNoneMatch);
  const isNews = ifNoneMatch !== undefined && !isKnown(found.etag, ifNoneMatch);
  let shown = found;
  if (!isNews && !found.isFinal) {
    await hold(call, found, wait, (job) => render(call, job, project).etag !== found.etag);
    shown = await look(call, project);
  }
  return applied(answerTo(shown, ifNoneMatch), wait);
}

/** 304 repeats the tag by which the client knows the answer: it is a weak one if that came compressed. */
function answerTo({ etag, full, notModified }: ShownJob, ifNoneMatch: string | undefined): Answer {
  if (!isKnown(etag, ifNoneMatch)) return full;
  const weak = `W/${etag}`;
  return ifNoneMatch?.includes(weak) === true ? { ...notModified, headers: { etag: weak } } : notModified;
}

/** The job as it is now. A version that was rendered before is not rendered again. Throws NotFoundError. */
async function look(call: Call, project: Projection): Promise<ShownJob> {
  const { services, dialect, param, shown: kept } = call;
  const { workspaceId, restriction } = call.viewer;
  const jobId = await services.jobs.ids.uuidOf(workspaceId, param);
  if (jobId === null) throw new NotFoundError('Job');
  const known = kept.get(dialect, jobId);
  // Only the whole row tells whether a token opens the job.
  const isOurs = known?.workspaceId === workspaceId && restriction === null;
  const found = isOurs ? await services.jobs.findChanged(known) : 'unknown';
  if (isOurs && found === 'unchanged' && !isOutdated(known, momentOf(call))) return known;
  const isRow = found !== 'unknown' && found !== 'unchanged';
  const job = visibleJob(call.viewer, isRow ? found : await services.jobs.find(workspaceId, jobId));
  return render(call, job, project);
}

/** Rendered once for all who ask for this version. */
function render(call: Call, job: Job, project: Projection): ShownJob {
  const { services, dialect, shown: kept } = call;
  const moment = momentOf(call);
  const known = kept.get(dialect, job.id);
  if (known !== undefined && isSame(known, job) && !isOutdated(known, moment)) return known;
  const shown = shownJob(job, project(services.jobs.types.shown(job), services.links, moment.at), moment);
  kept.keep(dialect, shown);
  return shown;
}

function momentOf({ services }: Call): { at: Date; typesRevision: number } {
  return { at: services.clock.now(), typesRevision: services.jobs.types.revision };
}

/**
 * Answers a POST with the job that the id names, wrapped, and held as a GET is. It has no entity tags, so it always shows
 * the job in full. Throws NotFoundError.
 */
export async function answerJob<Shown extends object>(
  call: Call,
  id: string,
  project: (job: Job) => Shown,
  wrap: (shown: Shown) => Promise<object>,
): Promise<Answer> {
  const { services, request } = call;
  const { types } = services.jobs;
  const find = async () => {
    const { viewer } = call;
    const uuid = await services.jobs.ids.uuidOf(viewer.workspaceId, id);
    return types.shown(visibleJob(viewer, uuid === null ? null : await services.jobs.find(viewer.workspaceId, uuid)));
  };
  let job = await find();
  const wait = waitWanted(request.headers['prefer']);
  if (wait !== null && !isFinal(job.status)) {
    const before = JSON.stringify(project(job));
    await hold(call, job, wait, (newer) => JSON.stringify(project(types.shown(newer))) !== before);
    job = await find();
  }
  const shown = answer(200, await wrap(project(job)), jobIdHeader(job));
  return wait === null ? shown : applied(shown, wait);
}

/** Holds the answer, then looks the key up again: it may have been revoked meanwhile. Throws a RefusedError. */
async function hold(
  call: Call,
  job: Pick<Job, 'id' | 'version'>,
  seconds: number,
  isNews: (job: Job) => boolean,
): Promise<void> {
  await call.holdUntilNews(job, seconds, isNews);
  const { services, dialect, route, request } = call;
  call.viewer = await callerOf(services, dialect, route.scope, request);
}

function applied(shown: Answer, wait: number): Answer {
  return { ...shown, headers: { ...shown.headers, 'preference-applied': `wait=${wait}` } };
}

/** The job, if the viewer may see it. Throws NotFoundError. */
export function visibleJob(viewer: Viewer, job: Job | null): Job {
  if (job === null || !maySee(viewer, job)) throw new NotFoundError('Job');
  return job;
}
