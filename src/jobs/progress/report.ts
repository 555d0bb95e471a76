import { z } from 'zod';
import { LeaseLostError } from '../model/job-errors.ts';
import { parseInput } from '../../input.ts';
import type { WorkspaceScope } from '../model/workspace-scope.ts';
import { decodeLeaseToken } from '../claim/lease-token.ts';
import type { ReportQueue } from './report-queue.ts';

const report = z.object({
  token: z.string(),
  step: z.string().max(200).nullish(),
  message: z.string().max(2_000).nullish(),
  percentage: z.number().min(0).max(100).nullish(),
});

export interface Report {
  token: string;
  /** Machine name of the current step, at most 200 characters. As for every field: omitted keeps it, null clears it. */
  step?: string | null | undefined;
  /** A sentence for people, at most 2,000 characters. */
  message?: string | null | undefined;
  /** 0 to 100. The shown percentage never decreases within an attempt. */
  percentage?: number | null | undefined;
}

/**
 * Records progress and renews the lease. With only the token, it is a heartbeat that changes nothing else.
 *
 * @returns the new expiry of the lease.
 * @throws ValidationError, LeaseLostError
 */
export async function reportProgress(queue: ReportQueue, scope: WorkspaceScope, request: Report): Promise<Date> {
  const { token, step, message, percentage } = parseInput(report, request);
  const ref = decodeLeaseToken(token);
  if (ref === null) throw new LeaseLostError(null);
  return queue.add({
    ...ref,
    scope,
    ...(step === undefined ? {} : { step }),
    ...(message === undefined ? {} : { message }),
    ...(percentage === undefined ? {} : { percentage }),
  });
}
