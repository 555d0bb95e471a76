import type { Job } from '../../jobs/model/job.ts';
import { maySee, type Viewer } from '../../workspaces/viewer.ts';
import type { GraphQLContext } from '../context.ts';

/** The context of a field that needs a caller. */
export type Seen = GraphQLContext & { viewer: Viewer };

/** Null for a job that the caller may not see, as for one that does not exist. */
export async function findVisibleJob({ jobs, viewer }: Seen, id: string): Promise<Job | null> {
  const job = await jobs.find(viewer.workspaceId, id);
  return job !== null && maySee(viewer, job) ? job : null;
}
