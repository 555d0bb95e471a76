import { randomUUID } from 'node:crypto';
import { GraphQLError } from 'graphql';
import { unavailableOf } from '../database/unavailable.ts';
import { type ErrorCode, LonghaulError, RateLimitedError, unavailableRetrySeconds } from '../errors.ts';
import type { Log } from '../log.ts';
import type { Services } from '../services.ts';

/**
 * Turns an error into one that a client may see. Client errors and document errors pass unchanged, with their code. Anything
 * else is a bug: it is masked, and logged under the id that the client gets.
 */
export function publicError(error: unknown, { log, errorCounts }: Pick<Services, 'log' | 'errorCounts'>): GraphQLError {
  const shown = shownError(error, log);
  errorCounts.add(codeOf(shown));
  return shown;
}

function shownError(error: unknown, log: Log): GraphQLError {
  const known = causeOf(error);
  // Mutations return expected failures as union members. Anywhere else, this means that an argument was invalid.
  if (known?.code === 'VALIDATION_ERROR') return rendered(error, 'BAD_USER_INPUT', known.message);
  if (known !== null) return rendered(error, known.code, known.message, waitOf(known));
  if (error instanceof GraphQLError && isRefusal(error)) return rendered(error, 'BAD_USER_INPUT', error.message);
  const id = randomUUID();
  log.error({ err: error instanceof GraphQLError ? (error.originalError ?? error) : error, errorId: id }, 'internal error');
  return rendered(error, 'INTERNAL', `Something went wrong on our side. Report it with this id: ${id}.`, { id });
}

/** When to try again, in seconds, if waiting helps. */
function waitOf(error: LonghaulError): { retryAfter?: number } {
  if (error instanceof RateLimitedError) return { retryAfter: error.retryAfter };
  return error.code === 'UNAVAILABLE' ? { retryAfter: unavailableRetrySeconds } : {};
}

/** The error's code. Every error that a client sees has one. */
export function codeOf({ extensions }: GraphQLError): unknown {
  return extensions['code'];
}

/** Why a socket is closed that waits for the database: PROTOCOL.md, 1013. */
export const databaseAway = 'The database cannot be reached, or took too long';

/** Whether the error is temporary: it ends when the server that we depend on is back. */
export function isUnavailable(error: GraphQLError): boolean {
  return codeOf(error) === ('UNAVAILABLE' satisfies ErrorCode);
}

/** Unwraps the error that a resolver threw. MikroORM passes on what the database says. */
function causeOf(error: unknown): LonghaulError | null {
  if (error instanceof LonghaulError) return error;
  if (!(error instanceof GraphQLError)) return unavailableOf(error);
  return error.originalError === undefined ? null : causeOf(error.originalError);
}

/** GraphQL's own errors about a document, its variables and its literals do not wrap a resolver's error. */
function isRefusal({ originalError }: GraphQLError): boolean {
  return originalError === undefined || (originalError instanceof GraphQLError && isRefusal(originalError));
}

function rendered(error: unknown, code: ErrorCode, message: string, more: Record<string, unknown> = {}): GraphQLError {
  const place = error instanceof GraphQLError ? error : null;
  return new GraphQLError(message, {
    nodes: place?.nodes ?? null,
    source: place?.source ?? null,
    positions: place?.positions ?? null,
    path: place?.path ?? null,
    extensions: { code, ...more },
  });
}
