import type { Scope } from './scope.ts';

/** Who asks: a key, or a token made with one, that was found valid for the surface it came through. */
export interface Viewer {
  apiKeyId: string;
  workspaceId: string;
  scopes: ReadonlySet<Scope>;
  /** The one thing that a token opens; null for a key. */
  restriction: Restriction | null;
  /** When a token ends; null for a key. */
  expiresAt: Date | null;
}

/** One job, or the jobs that bear one tag. */
export type Restriction = { jobId: string } | { tag: string };

/** What decides who may see a job. */
interface OwnedJob {
  id: string;
  workspaceId: string;
  tags: readonly string[];
}

/** What a restriction narrows of a filter of jobs. */
interface NarrowedFilter {
  ids?: readonly string[] | null | undefined;
  tags?: readonly string[] | null | undefined;
}

/** Where a worker's calls reach: its own workspace, or with WORK_ALL every one (null). */
export function workScope({ workspaceId, scopes }: Viewer): string | null {
  return scopes.has('WORK_ALL') ? null : workspaceId;
}

/** Whether the viewer may see this job of its workspace. */
export function maySee({ workspaceId, restriction }: Viewer, job: OwnedJob): boolean {
  if (job.workspaceId !== workspaceId) return false;
  if (restriction === null) return true;
  return 'jobId' in restriction ? job.id === restriction.jobId : job.tags.includes(restriction.tag);
}

/** The filter, narrowed to what the viewer may see. */
export function visible<Filter extends NarrowedFilter>({ restriction }: Viewer, filter: Filter): Filter & NarrowedFilter {
  if (restriction === null) return filter;
  if ('jobId' in restriction) return { ...filter, ids: [restriction.jobId] };
  return { ...filter, tags: [restriction.tag, ...(filter.tags ?? [])] };
}
