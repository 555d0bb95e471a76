import type { Job } from '../../jobs/model/job.ts';
import { maySee, type Viewer, workScope } from '../../workspaces/viewer.ts';
import { NotFoundError } from '../../errors.ts';
import type { GraphQLContext } from '../context.ts';
import { requireJobId } from '../global-id.ts';

/** The context of a field that requires a viewer. */
export type Seen = GraphQLContext & { viewer: Viewer };

/** Null if the job does not exist or the caller may not see it. */
export async function findVisibleJob({ jobs, viewer }: Pick<GraphQLContext, 'jobs' | 'viewer'>, id: string): Promise<Job | null> {
  if (viewer === null) return null;
  const job = await jobs.find(viewer.workspaceId, id);
  return job !== null && maySee(viewer, job) ? job : null;
}

/** Like `findVisibleJob`, by any form of id, and finds the jobs that the caller's key holds as a worker, in whatever workspace. */
export async function findReadableJob({ jobs, viewer }: Pick<Seen, 'jobs' | 'viewer'>, id: string): Promise<Job | null> {
  const uuid = await jobs.ids.uuidOf(workScope(viewer), id);
  if (uuid === null) return null;
  const own = viewer.scopes.has('READ') ? await findVisibleJob({ jobs, viewer }, uuid) : null;
  return own ?? (isWorker(viewer) ? jobs.findHeld(viewer.apiKeyId, uuid) : null);
}

/** The UUID of a job that the caller may change. Throws NotFoundError, also for a job that an access token does not open. */
export async function requireOwnJobId(context: Pick<Seen, 'jobs' | 'viewer'>, id: string): Promise<string> {
  const { jobs, viewer } = context;
  const uuid = await requireJobId(jobs, viewer.workspaceId, id);
  if (viewer.restriction !== null && (await findVisibleJob(context, uuid)) === null) throw new NotFoundError('Job');
  return uuid;
}

/** Keeps a worker's watch to its own attempts: it ends once an attempt of another worker has begun. */
export function holding({ jobs, viewer }: Pick<Seen, 'jobs' | 'viewer'>, held: Job): (job: Job) => Promise<boolean> {
  let { attempt } = held;
  return async (job) => {
    if (job.attempt === attempt) return true;
    const again = await jobs.findHeld(viewer.apiKeyId, job.id);
    if (again !== null) ({ attempt } = again);
    return again !== null;
  };
}

function isWorker({ scopes }: Viewer): boolean {
  return scopes.has('WORK') || scopes.has('WORK_ALL');
}
