import { bodyEncodings, unavailableRetrySeconds } from '../../errors.ts';
import { answer, type Answer } from './answer.ts';
import type { DialectProfile, RefusedRequest } from './dialect-profile.ts';
import { queueFullRetrySeconds, type Refusal } from './refusal.ts';

/** A refusal in the dialect's own words, with the headers that are the same in all of them. */
export function refusalAnswer(dialect: DialectProfile, refusal: Refusal, request: RefusedRequest): Answer {
  const { status, body, headers } = dialect.refuse(refusal, request);
  return answer(status, body, { ...headersOf(refusal), ...headers });
}

function headersOf(refusal: Refusal): Record<string, string> {
  if (refusal.kind === 'METHOD_NOT_ALLOWED') return { allow: refusal.allowed.join(', ') };
  if (refusal.kind === 'RATE_LIMITED') return { 'retry-after': String(refusal.retryAfter) };
  if (refusal.kind === 'QUEUE_FULL') return { 'retry-after': String(queueFullRetrySeconds) };
  if (refusal.kind === 'UNREADABLE_BODY' && refusal.why === 'encoding') return { 'accept-encoding': bodyEncodings };
  if (refusal.kind === 'UNAVAILABLE') return { 'retry-after': String(unavailableRetrySeconds) };
  return {};
}
