import type { Job } from '../../jobs/model/job.ts';
import type { JobFilter } from '../../jobs/read/list.ts';
import type { JobPhase } from '../../jobs/model/state-machine.ts';
import { visible } from '../../workspaces/viewer.ts';
import type { Call } from './call.ts';

/** Which part of a dialect's list, newest first. */
export interface ListRequest {
  /** What the jobs are shown as; all where not given. */
  phases?: readonly JobPhase[] | undefined;
  types?: readonly string[] | undefined;
  /** Only jobs older than this one: an id. */
  below?: string | null;
  /** Jobs to leave out first; 0 where not given. */
  offset?: number;
  limit: number;
}

/**
 * Jobs that came through the dialect, or whose type is native to it: look-ups are wide, lists are narrow. The rows may
 * be shared with others: they are not to be changed.
 */
export function listThrough(call: Call, { phases, types, below = null, offset = 0, limit }: ListRequest): Promise<readonly Job[]> {
  const { services, viewer, dialect } = call;
  const native = { dialect: dialect.name, types: dialect.nativeTypes };
  const filter: JobFilter = visible(viewer, { phases, types, native });
  return services.pages.list(viewer.workspaceId, filter, { above: null, below, direction: 'DESC', limit, offset });
}
