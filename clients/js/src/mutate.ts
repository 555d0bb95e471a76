import { AlreadyFinishedError, errorOf, type Failure } from './errors.ts';
import type { Http } from './http.ts';
import type { JobSummary } from './job.ts';
import * as documents from './documents.ts';

/** Runs a mutation of one field, and unwraps its answer. */
export async function mutate<Payload>(http: Http, document: string, input: object, signal: AbortSignal, onRepeat?: () => void): Promise<Payload> {
  const data = await http.ask<Record<string, Payload | null>>(document, { input }, signal, { onRepeat });
  return unwrap<Payload>(Object.values(data)[0]);
}

/** Members of a mutation's union that are failures. */
type Refusal = { code: string; message: string };

/**
 * The payload of a mutation's answer; a failure is thrown, as an error of the class of its code. The document has to select
 * `... on UserError { code message }`, and may select more of a failure.
 *
 * @throws LonghaulError
 */
export function unwrap<Answer>(answer: Answer | null | undefined): Exclude<Answer, Refusal> {
  if (answer == null) throw errorOf({ code: 'INTERNAL', message: 'The answer has no data.' });
  if (isRefusal(answer)) throw errorOf(answer);
  return answer as Exclude<Answer, Refusal>;
}

function isRefusal(answer: unknown): answer is Failure {
  return typeof answer === 'object' && answer !== null && 'code' in answer && 'message' in answer;
}

/** Whether an operation of the caller's may be sent again where no answer came: it changes nothing, or its variables have an idempotency key. */
export function isRepeatable(isMutation: boolean, variables: object): boolean {
  return !isMutation || [variables, ...Object.values(variables)].some((value) => value?.idempotencyKey != null);
}

/** Cancels it. Where an answer was lost, what the first try did is found out from the next one's refusal. @throws AlreadyFinishedError */
export async function cancel(http: Http, id: string, reason: string | undefined, signal: AbortSignal): Promise<JobSummary> {
  let repeated = false;
  const input = { id, ...(reason === undefined ? {} : { reason }) };
  try {
    const { job } = await mutate<{ job: JobSummary }>(http, documents.cancelJob, input, signal, () => (repeated = true));
    return job;
  } catch (error) {
    if (repeated && error instanceof AlreadyFinishedError && error.job?.status === 'CANCELLED') return error.job;
    throw error;
  }
}

/** A new idempotency key. Sent with each try of one thing, it is done once although an answer was lost. Not randomUUID: pages without TLS lack it. */
export function idempotencyKey(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('');
}
