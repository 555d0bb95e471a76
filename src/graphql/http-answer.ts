import type { GraphQLError } from 'graphql';
import Negotiator from 'negotiator';
import { type ErrorCode, errorTable } from '../errors.ts';
import { codeOf } from './public-error.ts';

/** What an answer to a query or a mutation can be. The first is for clients that accept anything. */
export const answerTypes = ['application/json', 'application/graphql-response+json', 'text/event-stream'] as const;

/** What an answer to a subscription can be. */
export const streamTypes = ['text/event-stream'] as const;

/** The best of the media types for a header `Accept` (RFC 9110, section 12.5.1); null where it takes none of them. */
export function negotiate<Type extends string>(accept: string | undefined, types: readonly Type[]): Type | null {
  // With the charset, so that a client that names it is understood too.
  const offered = types.map((type) => `${type}; charset=utf-8`);
  const best = new Negotiator({ headers: { accept } }).mediaType(offered);
  return types[offered.indexOf(best ?? '')] ?? null;
}

/** Errors that decide the status of a whole answer, whatever else it brings. */
const overriding: ReadonlySet<unknown> = new Set<ErrorCode>(['UNAUTHENTICATED', 'RATE_LIMITED', 'UNAVAILABLE']);

/** Refusals that are 200 but for GraphQL's own media type: other clients take every other status for a fault of the network. */
const ofDocuments: ReadonlySet<unknown> = new Set<ErrorCode>(['BAD_USER_INPUT', 'LIMIT_EXCEEDED', 'FORBIDDEN']);

/** The status of an answer (GraphQL over HTTP, section 6.4). @param ran whether the operation was carried out */
export function statusOf(errors: readonly GraphQLError[], ran: boolean, type: string): number {
  const codes = errors.map(codeOf);
  const decisive = codes.filter((code) => overriding.has(code));
  if (decisive.length > 0) return Math.max(...decisive.map(httpStatusOf));
  if (ran) return 200;
  const counted = type === answerTypes[1] ? codes : codes.filter((code) => !ofDocuments.has(code));
  return Math.max(200, ...counted.map(httpStatusOf));
}

/** When a client may come back that has asked too often. */
export function retryAfterOf(errors: readonly GraphQLError[]): string | null {
  const seconds = errors.map(({ extensions }) => extensions['retryAfter']).find((each) => typeof each === 'number');
  return seconds === undefined ? null : String(seconds);
}

function httpStatusOf(code: unknown): number {
  return isCode(code) ? errorTable[code].httpStatus : errorTable.INTERNAL.httpStatus;
}

function isCode(code: unknown): code is ErrorCode {
  return typeof code === 'string' && code in errorTable;
}
