import type { Job } from '../../jobs/model/job.ts';
import type { JobFilter } from '../../jobs/read/filter.ts';
import type { JobPhase } from '../../jobs/model/state-machine.ts';
import { visible } from '../../workspaces/viewer.ts';
import type { Call } from './call.ts';

/** Which part of a dialect's list, newest first. */
interface ListRequest {
  /** Phases to show; all if not given. */
  phases?: readonly JobPhase[] | undefined;
  types?: readonly string[] | undefined;
  /** Only jobs older than this one: an id. */
  below?: string | null;
  /** Jobs to skip first; 0 if not given. */
  offset?: number;
  limit: number;
}

/** Jobs that came through the dialect, or whose type is native to it, without their secrets. (Look-ups are wide, lists are narrow.) */
export async function listThrough(call: Call, { phases, types, below = null, offset = 0, limit }: ListRequest): Promise<Job[]> {
  const { services, viewer, dialect } = call;
  const native = { dialect: dialect.name, types: dialect.nativeTypes };
  const filter = visible<JobFilter>(viewer, { phases, types, native });
  const jobs = await services.jobs.list(viewer.workspaceId, filter, { above: null, below, direction: 'DESC', limit, offset });
  return jobs.map((job) => services.jobs.types.shown(job));
}
