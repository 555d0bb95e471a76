import type { Job } from '../../jobs/model/job.ts';
import { maySee, type Viewer } from '../../workspaces/viewer.ts';
import type { GraphQLContext } from '../context.ts';

/** The context of a field that requires a viewer. */
export type Seen = GraphQLContext & { viewer: Viewer };

/** Null if the job does not exist or the caller may not see it. */
export async function findVisibleJob({ jobs, viewer }: Seen, id: string): Promise<Job | null> {
  const job = await jobs.find(viewer.workspaceId, id);
  return job !== null && maySee(viewer, job) ? job : null;
}
