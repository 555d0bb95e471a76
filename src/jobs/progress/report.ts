import { z } from 'zod';
import { ValidationError } from '../../errors.ts';
import { LeaseLostError } from '../model/job-errors.ts';
import { parseInput } from '../../input.ts';
import type { JsonValue } from '../../json.ts';
import type { WorkspaceScope } from '../model/workspace-scope.ts';
import { decodeLeaseToken } from '../claim/lease-token.ts';
import { maxCheckpointBytes } from './checkpoints.ts';
import type { ReportQueue } from './report-queue.ts';

const report = z.object({
  token: z.string(),
  step: z.string().max(200).nullish(),
  message: z.string().max(2_000).nullish(),
  percentage: z.number().min(0).max(100).nullish(),
  checkpoint: z.custom<JsonValue>(() => true).optional(),
});

export interface Report {
  token: string;
  /** Machine name of the current step, at most 200 characters. As for every field: omitted keeps it, null clears it. */
  step?: string | null | undefined;
  /** A sentence for people, at most 2,000 characters. */
  message?: string | null | undefined;
  /** 0 to 100. The shown percentage never decreases within an attempt. */
  percentage?: number | null | undefined;
  /** What the next attempt needs to go on from here, at most 65,536 bytes as JSON. Kept until the job has ended. */
  checkpoint?: JsonValue | undefined;
}

/**
 * Records progress and renews the lease. With only the token, it is a heartbeat that changes nothing else.
 *
 * @returns the new expiry of the lease.
 * @throws ValidationError, LeaseLostError
 */
export async function reportProgress(queue: ReportQueue, scope: WorkspaceScope, request: Report): Promise<Date> {
  const { token, step, message, percentage, checkpoint } = parseInput(report, request);
  const kept = checkpoint == null ? checkpoint : checkpointText(checkpoint);
  const ref = decodeLeaseToken(token);
  if (ref === null) throw new LeaseLostError(null);
  return queue.add({
    ...ref,
    scope,
    ...(step === undefined ? {} : { step }),
    ...(message === undefined ? {} : { message }),
    ...(percentage === undefined ? {} : { percentage }),
    ...(kept === undefined ? {} : { checkpoint: kept }),
  });
}

function checkpointText(checkpoint: JsonValue): string {
  const json = JSON.stringify(checkpoint);
  const bytes = Buffer.byteLength(json);
  if (bytes <= maxCheckpointBytes) return json;
  const message = `is ${bytes} bytes as JSON; the limit is ${maxCheckpointBytes}. Store what is larger elsewhere, and where it is here.`;
  throw new ValidationError([{ path: ['checkpoint'], message }]);
}
