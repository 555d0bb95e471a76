import { z } from 'zod';

/** A worker's request for jobs. */
export interface Claim {
  /** Registered job types, 1 to 100. */
  types: string[];
  /** At most 100 UUIDs. Limits the claim to these jobs. */
  jobIds?: string[] | null | undefined;
  /** Workspaces that get nothing, at most 1,000 UUIDs; with a null scope and without `jobIds`. */
  without?: readonly string[] | null | undefined;
  /** 1 to 100. 1 by default. */
  limit?: number | null | undefined;
  /** Recorded in the attempt, for people. 1 to 200 characters. */
  workerId: string;
  /** The key that will hold the jobs. None by default, as for the built-in worker. */
  apiKeyId?: string | null | undefined;
  /** How long to wait for work, 0 to 30. The claim returns as soon as there is some. */
  waitSeconds?: number | null | undefined;
}

/** Checks a Claim. */
export const claimSchema = z.object({
  types: z.array(z.string()).min(1).max(100),
  jobIds: z.array(z.guid()).max(100).nullish(),
  without: z.array(z.guid()).max(1_000).nullish(),
  limit: z.int().min(1).max(100).nullish(),
  workerId: z.string().min(1).max(200),
  apiKeyId: z.guid().nullish(),
  waitSeconds: z.number().min(0).max(30).nullish(),
});
