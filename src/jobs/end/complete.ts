import { z } from 'zod';
import type { StoredFile } from '../../files/store.ts';
import { ValidationError } from '../../errors.ts';
import { LeaseLostError } from '../model/job-errors.ts';
import { parseInput } from '../../input.ts';
import type { JobsContext } from '../model/context.ts';
import type { WorkspaceScope } from '../model/workspace-scope.ts';
import { findPastAttempt, leaseLostBy, type PastAttempt } from '../claim/held.ts';
import type { Job } from '../model/job.ts';
import type { JsonValue } from '../../json.ts';
import { decodeLeaseToken } from '../claim/lease-token.ts';
import { transitions } from '../model/state-machine.ts';

const completion = z.object({ token: z.string(), output: z.custom<JsonValue>(() => true).optional() });

export interface Completion {
  token: string;
  /** Any JSON value, at most MAX_OUTPUT_BYTES as JSON. */
  output?: JsonValue | undefined;
}

/**
 * RUNNING → COMPLETED, by the worker that holds the lease. Repeating the same completion after a lost reply returns the
 * same result.
 *
 * @throws ValidationError, LeaseLostError
 */
export async function completeJob(
  context: JobsContext,
  scope: WorkspaceScope,
  request: Completion,
  artifact: StoredFile | null = null,
): Promise<Job> {
  const { token, output = null } = parseInput(completion, request);
  const json = JSON.stringify(output);
  const ref = decodeLeaseToken(token);
  const excess = excessOf(json, context.limits.maxOutputBytes);
  if (excess !== null) {
    // What was accepted once is answered alike, whatever the limit is by then.
    const past = ref === null ? null : await findPastAttempt(context, scope, ref);
    if (past === null || !(await hasCompletedSo(context, past, json))) throw excess;
    return past.job;
  }
  if (ref === null) throw new LeaseLostError(null);

  const job = await context.completions.add({ ref, scope, output: json, artifact });
  if (job !== null) return job;
  const past = await findPastAttempt(context, scope, ref);
  if (past === null) throw new LeaseLostError(null);
  if (!(await hasCompletedSo(context, past, json))) throw leaseLostBy(past);
  return past.job;
}

/** Whether this attempt has completed its job with this output. */
async function hasCompletedSo(context: JobsContext, past: PastAttempt, output: string): Promise<boolean> {
  // Outputs are compared as jsonb: key order and number formatting do not matter.
  const [same] = await context.database.hot.query(
    `SELECT 1 FROM job WHERE job.id = $1 AND job.workspace_id = $2 AND job.status = '${transitions.complete.to}'
       AND job.attempt = $3 AND job.output IS NOT DISTINCT FROM $4::jsonb`,
    [past.job.id, past.job.workspaceId, past.number, output],
  );
  return same !== undefined;
}

function excessOf(json: string, limit: number): ValidationError | null {
  const bytes = Buffer.byteLength(json);
  if (bytes <= limit) return null;
  return new ValidationError([
    {
      path: ['output'],
      message: `is ${bytes} bytes as JSON; the limit is ${limit}. Store large results elsewhere and send their URL.`,
    },
  ]);
}
