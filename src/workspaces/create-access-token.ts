import { z } from 'zod';
import { NotFoundError } from '../errors.ts';
import { parseInput } from '../input.ts';
import type { AccessTokens } from './access-token.ts';
import type { Restriction, Viewer } from './viewer.ts';

const defaultSeconds = 900;

const request = z
  .object({
    jobId: z.string().nullish(),
    tag: z.string().min(1).max(100).nullish(),
    ttlSeconds: z.int().min(60).max(86_400).nullish(),
  })
  .refine(({ jobId, tag }) => (jobId == null) !== (tag == null), { error: 'give exactly one of jobId and tag' });

/** A request for an access token. Exactly one of `jobId` and `tag` is required. */
export interface AccessTokenRequest {
  /** UUID. */
  jobId?: string | null | undefined;
  tag?: string | null | undefined;
  /** 60 to 86,400. 900 by default. */
  ttlSeconds?: number | null | undefined;
}

/** Looks up jobs. Jobs of other workspaces are not found. */
interface OwnJobs {
  find(workspaceId: string, id: string): Promise<{ id: string } | null>;
}

/**
 * Creates a token that lets a browser read and watch one job, or the jobs with one tag, without having a key.
 *
 * @throws NotFoundError, ValidationError
 */
export async function createAccessToken(
  jobs: OwnJobs,
  tokens: AccessTokens,
  viewer: Viewer,
  asked: AccessTokenRequest,
): Promise<{ token: string; expiresAt: Date }> {
  const { jobId, tag, ttlSeconds } = parseInput(request, asked);
  const restriction = tag == null ? await ownJob(jobs, viewer, jobId ?? '') : { tag };
  // Whole seconds, because the token carries whole seconds.
  const expiresAt = new Date(Math.floor(tokens.clock.now().getTime() / 1_000 + (ttlSeconds ?? defaultSeconds)) * 1_000);
  return { token: await tokens.sign(viewer, restriction, expiresAt), expiresAt };
}

async function ownJob(jobs: OwnJobs, { workspaceId }: Viewer, jobId: string): Promise<Restriction> {
  const job = z.uuid().safeParse(jobId).success ? await jobs.find(workspaceId, jobId) : null;
  if (job === null) throw new NotFoundError('Job');
  return { jobId: job.id };
}
