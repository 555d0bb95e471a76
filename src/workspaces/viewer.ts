import type { Scope } from './scope.ts';

/** An authenticated caller: a key, a session that was opened with a key, or a token made with a key, valid on the surface it came through. */
export interface Viewer {
  apiKeyId: string;
  workspaceId: string;
  /** The client's, as TRUST_PROXY lets us determine it. */
  address: string;
  scopes: ReadonlySet<Scope>;
  /** What a token gives access to; null for a key, and for a session, which may do what its key may. */
  restriction: Restriction | null;
  /** When a token or session expires; null for a key. */
  expiresAt: Date | null;
}

/** One job, or the jobs with tags. */
export type Restriction = { jobId: string } | TagRestriction;

interface TagRestriction {
  /** The jobs of every one of these, each by itself. The first is borne by all that the token creates. */
  tags: Tags;
  /** What the token may create; null for any type. */
  types: readonly string[] | null;
}

/** At least one. */
export type Tags = readonly [string, ...string[]];

/**
 * The budgets that a caller counts against, the narrowest first. A key has the whole limit for itself. The tokens made with
 * it share another one, of which those with the same job or first tag take at most half: however many a page makes, and
 * whatever a browser does with one, they shut out neither the key nor each other.
 */
export function budgetsOf({ apiKeyId, restriction }: Viewer): { name: string; share: 'whole' | 'half' }[] {
  if (restriction === null) return [{ name: apiKeyId, share: 'whole' }];
  const opened = 'jobId' in restriction ? `job ${restriction.jobId}` : `tag ${restriction.tags[0]}`;
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
  anyTags?: readonly string[] | null | undefined;
}

/** Whose the idempotency keys and uploads of access tokens are: those of one key with the same first tag share them. */
interface TokenOwner {
  apiKeyId: string;
  tag: string;
}

/** An access token that may create jobs, and what those are kept to. */
export interface Submitter extends TokenOwner {
  types: readonly string[] | null;
}

/** Null for a key, and for a token for one job, which owns nothing. */
export function tokenOwnerOf({ apiKeyId, restriction }: Viewer): TokenOwner | null {
  return restriction === null || 'jobId' in restriction ? null : { apiKeyId, tag: restriction.tags[0] };
}

/** Null for a key, whose jobs are its own affair. */
export function submitterOf({ apiKeyId, restriction }: Viewer): Submitter | null {
  if (restriction === null) return null;
  if ('jobId' in restriction) throw new Error('a token for one job creates none');
  return { apiKeyId, tag: restriction.tags[0], types: restriction.types };
}

/** The scope of a worker's calls: its own workspace, or null (all workspaces) with WORK_ALL. */
export function workScope({ workspaceId, scopes }: Viewer): string | null {
  return scopes.has('WORK_ALL') ? null : workspaceId;
}

/** Whether the viewer may see this job. */
export function maySee({ workspaceId, restriction }: Viewer, job: OwnedJob): boolean {
  if (job.workspaceId !== workspaceId) return false;
  if (restriction === null) return true;
  return 'jobId' in restriction ? job.id === restriction.jobId : restriction.tags.some((tag) => job.tags.includes(tag));
}

/** Narrows a filter to what the viewer may see. */
export function visible<Filter extends NarrowedFilter>({ restriction }: Viewer, filter: Filter): Filter & NarrowedFilter {
  if (restriction === null) return filter;
  if ('jobId' in restriction) {
    const { jobId } = restriction;
    return { ...filter, ids: filter.ids?.includes(jobId) === false ? [] : [jobId] };
  }
  const [tag, ...more] = restriction.tags;
  return more.length > 0 ? { ...filter, anyTags: restriction.tags } : { ...filter, tags: [tag, ...(filter.tags ?? [])] };
}
