import type { GraphQLError } from 'graphql';
import Negotiator from 'negotiator';
import { type ErrorCode, errorTable, isErrorCode } from '../errors.ts';
import { codeOf } from './public-error.ts';

/** Media types for queries and mutations. Clients that accept anything get the first. */
export const answerTypes = ['application/json', 'application/graphql-response+json', 'text/event-stream'] as const;

/** Media types for subscriptions. */
export const streamTypes = ['text/event-stream'] as const;

/** Picks the best media type for an `Accept` header (RFC 9110, section 12.5.1); null if it accepts none of them. */
export function negotiate<Type extends string>(accept: string | undefined, types: readonly Type[]): Type | null {
  // Offered with the charset, to match clients that ask for it.
  const offered = types.map((type) => `${type}; charset=utf-8`);
  const best = new Negotiator({ headers: { accept } }).mediaType(offered);
  return types[offered.indexOf(best ?? '')] ?? null;
}

/** Errors that set the HTTP status even if the response has data. */
const overriding: ReadonlySet<unknown> = new Set<ErrorCode>(['UNAUTHENTICATED', 'TOKEN_EXPIRED', 'RATE_LIMITED', 'UNAVAILABLE']);

/** Errors that are 200 for a client which names application/json: such clients take any other status for a network failure. */
const ofDocuments: ReadonlySet<unknown> = new Set<ErrorCode>(['BAD_USER_INPUT', 'LIMIT_EXCEEDED', 'FORBIDDEN']);

/**
 * Whether a document that is refused is 200 (GraphQL over HTTP, section 6.4.1): to a client that names application/json, and
 * in an event stream, which EventSource would not read otherwise. Everybody else gets the table's status.
 */
export function isLenient(accept: string | undefined, type: string | null): boolean {
  return type === 'text/event-stream' || (type === 'application/json' && /application\/json/i.test(accept ?? ''));
}

/** The media type of an answer that is an error by its HTTP status. Clients of event streams decide by the status whether to reconnect. */
export function errorTypeOf(accept: string | undefined): 'application/json' | 'application/graphql-response+json' {
  return negotiate(accept, ['application/json', 'application/graphql-response+json'] as const) ?? 'application/json';
}

/**
 * The HTTP status of a response (GraphQL over HTTP, section 6.4).
 *
 * @param ran whether the operation was executed
 */
export function statusOf(errors: readonly GraphQLError[], ran: boolean, lenient: boolean): number {
  const codes = errors.map(codeOf);
  const decisive = codes.filter((code) => overriding.has(code));
  if (decisive.length > 0) return Math.max(...decisive.map(httpStatusOf));
  if (ran) return 200;
  const counted = lenient ? codes.filter((code) => !ofDocuments.has(code)) : codes;
  return Math.max(200, ...counted.map(httpStatusOf));
}

/** The Retry-After header (RFC 9110, section 10.2.3) of an answer that is there after a while; null if waiting does not help. */
export function retryAfterOf(errors: readonly GraphQLError[]): string | null {
  const seconds = errors.map(({ extensions }) => extensions['retryAfter']).filter((each) => typeof each === 'number');
  return seconds.length === 0 ? null : String(Math.max(...seconds));
}

function httpStatusOf(code: unknown): number {
  return isErrorCode(code) ? errorTable[code].httpStatus : errorTable.INTERNAL.httpStatus;
}
