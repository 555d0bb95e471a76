import { randomUUID } from 'node:crypto';
import { GraphQLError } from 'graphql';
import { type ErrorCode, LonghaulError, RateLimitedError } from '../errors.ts';
import type { Log } from '../log.ts';

/**
 * What a client is told of an error: client errors and refusals of the document as they are, with their code. Anything
 * else is a bug. It is masked, and logged under the id that the client gets.
 */
export function publicError(error: unknown, log: Log): GraphQLError {
  const known = causeOf(error);
  // A mutation tells expected failures in its union. Elsewhere an argument could not be taken.
  if (known?.code === 'VALIDATION_ERROR') return rendered(error, 'BAD_USER_INPUT', known.message);
  if (known instanceof RateLimitedError) {
    return rendered(error, known.code, known.message, { retryAfter: known.retryAfter });
  }
  if (known !== null) return rendered(error, known.code, known.message);
  if (error instanceof GraphQLError && isRefusal(error)) return rendered(error, 'BAD_USER_INPUT', error.message);
  const id = randomUUID();
  log.error({ err: error instanceof GraphQLError ? (error.originalError ?? error) : error, errorId: id }, 'internal error');
  return rendered(error, 'INTERNAL', `Something went wrong on our side. Report it with this id: ${id}.`, { id });
}

/** The error's code. Every error that a client sees has one. */
export function codeOf({ extensions }: GraphQLError): unknown {
  return extensions['code'];
}

/** Whether it is over when the server behind is back. */
export function isUnavailable(error: GraphQLError): boolean {
  return codeOf(error) === ('UNAVAILABLE' satisfies ErrorCode);
}

/** The error that the code behind a resolver meant, however GraphQL has wrapped it. */
function causeOf(error: unknown): LonghaulError | null {
  if (error instanceof LonghaulError) return error;
  return error instanceof GraphQLError && error.originalError !== undefined ? causeOf(error.originalError) : null;
}

/** GraphQL's own errors about the document, its variables and its literals have no error of a resolver behind them. */
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
