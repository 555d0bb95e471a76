import type { Scope } from './scope.ts';

/** An authenticated caller: a key, or a token made with a key, that is valid on the surface it came through. */
export interface Viewer {
  apiKeyId: string;
  workspaceId: string;
  scopes: ReadonlySet<Scope>;
  /** What a token gives access to; null for a key. */
  restriction: Restriction | null;
  /** When a token expires; null for a key. */
  expiresAt: Date | null;
}

/** One job, or the jobs with one tag. */
export type Restriction = { jobId: string } | { tag: string };

/**
 * The budgets that a caller counts against, the narrowest first. A key has the whole limit for itself. The tokens made with
 * it share another one, of which those that open the same job or tag take at most half: however many a page makes, and
 * whatever a browser does with one, they shut out neither the key nor each other.
 */
export function budgetsOf({ apiKeyId, restriction }: Viewer): { name: string; share: 'whole' | 'half' }[] {
  if (restriction === null) return [{ name: apiKeyId, share: 'whole' }];
  const opened = 'jobId' in restriction ? `job ${restriction.jobId}` : `tag ${restriction.tag}`;
  return [
    { name: `${apiKeyId} ${opened}`, share: 'half' },
    { name: `${apiKeyId} tokens`, share: 'whole' },
  ];
}

/** How much of a limit a budget has: at least one. */
export function shareOf(limit: number, share: 'whole' | 'half'): number {
  return share === 'whole' ? limit : Math.ceil(limit / 2);
}

/** The fields of a job that decide who may see it. */
interface OwnedJob {
  id: string;
  workspaceId: string;
  tags: readonly string[];
}

/** The fields of a job filter that a restriction narrows. */
interface NarrowedFilter {
  ids?: readonly string[] | null | undefined;
  tags?: readonly string[] | null | undefined;
}

/** The scope of a worker's calls: its own workspace, or null (all workspaces) with WORK_ALL. */
export function workScope({ workspaceId, scopes }: Viewer): string | null {
  return scopes.has('WORK_ALL') ? null : workspaceId;
}

/** Whether the viewer may see this job. */
export function maySee({ workspaceId, restriction }: Viewer, job: OwnedJob): boolean {
  if (job.workspaceId !== workspaceId) return false;
  if (restriction === null) return true;
  return 'jobId' in restriction ? job.id === restriction.jobId : job.tags.includes(restriction.tag);
}

/** Narrows a filter to what the viewer may see. */
export function visible<Filter extends NarrowedFilter>({ restriction }: Viewer, filter: Filter): Filter & NarrowedFilter {
  if (restriction === null) return filter;
  if ('jobId' in restriction) {
    const { jobId } = restriction;
    return { ...filter, ids: filter.ids?.includes(jobId) === false ? [] : [jobId] };
  }
  return { ...filter, tags: [restriction.tag, ...(filter.tags ?? [])] };
}
