import { Unreachable } from './connection/failure.ts';
import { UnfitServer } from './connection/session.ts';
import { LonghaulError } from '../errors.ts';

/** Node socket errors and SQLSTATEs which mean that the server cannot be reached, is shutting down or only reads (25006). */
const codes = /^(ECONN\w+|EPIPE|ENOTFOUND|EAI_AGAIN|ETIMEDOUT|EHOSTUNREACH|08\w{3}|57P0[123]|53300|25006)$/;

const statementTimeout = '57014';

/** Errors of pg and pg-pool that have no code. */
const messages = /Connection terminated|timeout exceeded when trying to connect|Client has encountered a connection/;

/** Turns errors that mean the database is unavailable into UNAVAILABLE. Others pass unchanged. */
export async function whenUnavailable<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (sqlState(error) === statementTimeout) {
      throw new LonghaulError('UNAVAILABLE', 'The database took too long. Use a narrower filter, or try again.', {
        cause: error,
      });
    }
    if (!isUnavailable(error)) throw error;
    throw new LonghaulError('UNAVAILABLE', 'The database cannot be reached right now. Try again.', {
      cause: error,
    });
  }
}

function isUnavailable(error: unknown): boolean {
  if (!(error instanceof Error) || error instanceof LonghaulError) return false;
  if (error instanceof Unreachable || error instanceof UnfitServer) return true;
  return ('code' in error && codes.test(String(error.code))) || messages.test(error.message);
}

/** The SQLSTATE of a failed statement, or null: https://www.postgresql.org/docs/current/errcodes-appendix.html */
export function sqlState(error: unknown): string | null {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : null;
}
