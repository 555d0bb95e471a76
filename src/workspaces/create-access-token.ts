import { z } from 'zod';
import { LonghaulError, NotFoundError, ValidationError } from '../errors.ts';
import { parseInput } from '../input.ts';
import { type AccessTokens, tokenScopes } from './access-token.ts';
import type { Restriction, Viewer } from './viewer.ts';

const defaultSeconds = 900;

const tag = z.string().min(1).max(100);

const request = z
  .object({
    jobId: z.string().nullish(),
    tag: tag.nullish(),
    tags: z.array(tag).min(1).max(10).nullish(),
    scopes: z.array(z.enum(tokenScopes)).min(1).nullish(),
    types: z.array(z.string().min(1).max(100)).min(1).max(20).nullish(),
    ttlSeconds: z.int().min(60).max(86_400).nullish(),
  })
  .refine(({ jobId, tag: one, tags }) => [jobId, one, tags].filter((given) => given != null).length === 1, {
    error: 'give exactly one of jobId, tag and tags',
  })
  .refine(({ jobId, scopes }) => jobId == null || scopes?.includes('WRITE') !== true, {
    path: ['scopes'],
    error: 'WRITE is for a tag or tags alone; a token for one job reads it',
  })
  .refine(({ types, scopes }) => types == null || scopes?.includes('WRITE') === true, {
    path: ['types'],
    error: 'needs WRITE among the scopes: they are the types that the token may create, and narrow nothing that it reads',
  });

/** A request for an access token. Exactly one of `jobId`, `tag` and `tags` is required. */
interface AccessTokenRequest {
  /** UUID. */
  jobId?: string | null | undefined;
  tag?: string | null | undefined;
  /** 1 to 10: the jobs of every one of these, each by itself. What the token creates bears the first. */
  tags?: readonly string[] | null | undefined;
  /** READ by default. The caller's own at most; WRITE not for one job. */
  scopes?: readonly string[] | null | undefined;
  /** Types that it may create, at most 20. Any by default. */
  types?: readonly string[] | null | undefined;
  /** 60 to 86,400. 900 by default. */
  ttlSeconds?: number | null | undefined;
}

/** Looks up jobs and their types. Jobs of other workspaces are not found. */
interface OwnJobs {
  find(workspaceId: string, id: string): Promise<{ id: string } | null>;
  types: { get(name: string): object | undefined };
}

/**
 * Creates a token with which a browser works without a key: for one job, or for the jobs with a tag or tags.
 *
 * @throws NotFoundError, ValidationError; FORBIDDEN for scopes that the caller has not
 */
export async function createAccessToken(
  jobs: OwnJobs,
  tokens: AccessTokens,
  viewer: Viewer,
  asked: AccessTokenRequest,
): Promise<{ token: string; expiresAt: Date }> {
  const { jobId, tag: one, tags, scopes: wanted, types, ttlSeconds } = parseInput(request, asked);
  const scopes = tokenScopes.filter((scope) => (wanted ?? ['READ']).includes(scope));
  const lacking = scopes.filter((scope) => !viewer.scopes.has(scope));
  if (lacking.length > 0) throw new LonghaulError('FORBIDDEN', `The key cannot give what it lacks: ${lacking.join(' and ')}.`);
  const unknown = (types ?? []).flatMap((name, index) => (jobs.types.get(name) === undefined ? [['types', String(index)]] : []));
  if (unknown.length > 0) throw new ValidationError(unknown.map((path) => ({ path, message: 'is no job type; `jobTypes` lists them' })));
  const restriction = jobId == null ? ofTags(one == null ? tags : [one], types) : await ownJob(jobs, viewer, jobId);
  const expiresAt = tokens.endAfter(ttlSeconds ?? defaultSeconds);
  const { apiKeyId, workspaceId } = viewer;
  return { token: await tokens.sign({ apiKeyId, workspaceId, restriction, scopes, expiresAt }), expiresAt };
}

function ofTags(tags: readonly string[] | null | undefined, types: readonly string[] | null | undefined): Restriction {
  const [first, ...others] = tags ?? [];
  if (first === undefined) throw new Error('a token opens a job or tags');
  return { tags: [first, ...new Set(others.filter((other) => other !== first))], types: types == null ? null : [...new Set(types)] };
}

async function ownJob(jobs: OwnJobs, { workspaceId }: Viewer, jobId: string): Promise<Restriction> {
  const job = z.uuid().safeParse(jobId).success ? await jobs.find(workspaceId, jobId) : null;
  if (job === null) throw new NotFoundError('Job');
  return { jobId: job.id };
}
