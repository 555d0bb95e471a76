import { randomUUID } from 'node:crypto';
import { GraphQLError } from 'graphql';
import { type ErrorCode, errorTable, LonghaulError, RateLimitedError } from '../errors.ts';
import type { Log } from '../log.ts';

/** Codes that a plugin puts on its refusals, and ours for them. */
const limitMessages = /^(Syntax Error: (?:Query|Token limit|Character limit|Aliases|Depth|Directives|Cost)|.*limit of \d+ exceeded)/;

/** The status of an error that says nothing of one; with `spec` only where the media type of the answer allows for it. */
interface UsualHttp {
  status: number;
  spec?: boolean;
}

/**
 * What a client is told of an error, whatever it was: client errors and refusals of the query itself as they are, with
 * their code; anything else is a bug, masked, and logged under the id that the client gets.
 */
export function publicError(error: unknown, log: Log, usualHttp: UsualHttp | null = null): GraphQLError {
  const known = causeOf(error);
  // An expected failure is told in a mutation's union; where there is none, an argument could not be taken.
  if (known?.code === 'VALIDATION_ERROR') return rendered(error, 'BAD_USER_INPUT', known.message);
  if (known instanceof RateLimitedError) {
    const { retryAfter } = known;
    const http = { status: known.httpStatus, headers: { 'retry-after': String(retryAfter) } };
    return rendered(error, known.code, known.message, { retryAfter, http });
  }
  if (known !== null) return rendered(error, known.code, known.message, {}, usualHttp);
  if (error instanceof GraphQLError) {
    // A document that may not be carried out at all: 400 where the media type allows for it.
    if (limitMessages.test(error.message)) {
      return rendered(error, 'LIMIT_EXCEEDED', error.message, {}, { status: 400, spec: true });
    }
    if (isRefusal(error)) return rendered(error, 'BAD_USER_INPUT', error.message);
  }
  const id = randomUUID();
  log.error({ err: error instanceof GraphQLError ? (error.originalError ?? error) : error, errorId: id }, 'internal error');
  return rendered(error, 'INTERNAL', `Something went wrong on our side. Report it with this id: ${id}.`, { id });
}

/** The error that the code behind a resolver meant, however GraphQL has wrapped it. */
function causeOf(error: unknown): LonghaulError | null {
  if (error instanceof LonghaulError) return error;
  return error instanceof GraphQLError && error.originalError !== undefined ? causeOf(error.originalError) : null;
}

/** GraphQL's own errors about the document, its variables and its literals have no error of a resolver behind them. */
function isRefusal(error: GraphQLError): boolean {
  const { originalError } = error;
  return originalError === undefined || (originalError instanceof GraphQLError && isRefusal(originalError));
}

function rendered(
  error: unknown,
  code: ErrorCode,
  message: string,
  more: Record<string, unknown> = {},
  usualHttp: UsualHttp | null = null,
): GraphQLError {
  const place = error instanceof GraphQLError ? error : null;
  const http = httpOf(place) ?? (statusMatters.has(code) ? { status: errorTable[code].httpStatus } : usualHttp);
  return new GraphQLError(message, {
    nodes: place?.nodes ?? null,
    source: place?.source ?? null,
    positions: place?.positions ?? null,
    path: place?.path ?? null,
    extensions: { code, ...(http === null ? {} : { http }), ...more },
  });
}

/**
 * What a plugin of Yoga wants of HTTP. `spec` makes it 200 for clients that accept plain JSON, which is right for faults
 * of the document; what is no GraphQL request at all has no place in a document, and keeps its 400.
 */
function httpOf(place: GraphQLError | null) {
  const http = place?.extensions['http'];
  if (http === undefined || place?.locations !== undefined) return http;
  const { spec: _spec, ...always } = http;
  return always;
}

/** Errors of the whole request; the others leave the status to GraphQL over HTTP, which knows about partial data. */
const statusMatters: ReadonlySet<ErrorCode> = new Set(['UNAUTHENTICATED', 'RATE_LIMITED', 'UNAVAILABLE']);
