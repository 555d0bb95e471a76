import { randomUUID } from 'node:crypto';
import { GraphQLError } from 'graphql';
import { type ErrorCode, errorTable, LonghaulError } from '../errors.ts';
import type { Log } from '../log.ts';

/** Codes that a plugin puts on its refusals, and ours for them. */
const limitMessages = /^(Syntax Error: (?:Query|Token limit|Character limit|Aliases|Depth|Directives|Cost)|.*limit of \d+ exceeded)/;

/**
 * What a client is told of an error, whatever it was: client errors and refusals of the query itself as they are, with
 * their code; anything else is a bug, masked, and logged under the id that the client gets.
 */
export function publicError(error: unknown, log: Log): GraphQLError {
  const known = causeOf(error);
  if (known !== null) return rendered(error, known.code, known.message);
  if (error instanceof GraphQLError) {
    if (limitMessages.test(error.message)) return rendered(error, 'LIMIT_EXCEEDED', error.message);
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

function rendered(error: unknown, code: ErrorCode, message: string, more: Record<string, unknown> = {}): GraphQLError {
  const place = error instanceof GraphQLError ? error : null;
  const http = place?.extensions['http'] ?? (statusMatters.has(code) ? { status: errorTable[code].httpStatus } : null);
  return new GraphQLError(message, {
    nodes: place?.nodes ?? null,
    source: place?.source ?? null,
    positions: place?.positions ?? null,
    path: place?.path ?? null,
    extensions: { code, ...more, ...(http === null ? {} : { http }) },
  });
}

/** Errors of the whole request; the others leave the status to GraphQL over HTTP, which knows about partial data. */
const statusMatters: ReadonlySet<ErrorCode> = new Set(['UNAUTHENTICATED', 'RATE_LIMITED', 'UNAVAILABLE']);
