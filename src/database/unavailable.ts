import { setTimeout as delay } from 'node:timers/promises';
import { LonghaulError } from '../errors.ts';

/** Node socket errors and SQLSTATEs which mean that the server cannot be reached, starts, stops, ended the session or lacks resources. */
const away = /^(ECONN\w+|EPIPE|ENOTFOUND|EAI_\w+|ETIMEDOUT|E(HOST|NET)UNREACH|08\w{3}|25P0[34]|40003|57P0\w|53\w{3}|58030)$/;

/** The server only reads: a standby, or a primary that was set so. */
const onlyReads = '25006';

/** Its disk is full. */
const full = '53100';

const statementTimeout = '57014';

/** Serialization failure, deadlock, and a lock that was not to be had in time: the same again may succeed. */
const conflict = /^(40001|40P01|55P03)$/;

/** Times that a statement or transaction is tried which conflicts with another. */
const mostTries = 4;

/** Bound of the first pause before the next try, in milliseconds; it doubles. Random, or both would meet again. */
const firstPause = 20;

/** Errors of pg and pg-pool that have no code. */
const messages = /Connection terminated|timeout exceeded when trying to connect|timeout expired|Client has encountered a connection|Client was closed/;

/** Turns errors that mean the database is unavailable into UNAVAILABLE, and remembers when it refused to write. */
export class Availability {
  /** When a write was refused which the next one will be too, as `performance.now()` counts; null if none was. */
  writeRefusedAt: number | null = null;

  /** Errors of other kinds pass unchanged. */
  async guard<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if ([onlyReads, full].includes(sqlState(error) ?? '')) this.writeRefusedAt = performance.now();
      throw unavailableOf(error) ?? error;
    }
  }

  /** As `guard`, and does the work again if it conflicts. It must be one statement, or one transaction of the database alone. */
  async retry<T>(work: () => Promise<T>): Promise<T> {
    for (let pause = firstPause, left = mostTries - 1; ; left -= 1, pause *= 2) {
      try {
        return await this.guard(work);
      } catch (error) {
        if (left === 0 || !conflict.test(sqlState(causeOf(error)) ?? '')) throw error;
        await delay(Math.random() * pause);
      }
    }
  }
}

/** UNAVAILABLE, if the error means that the database is; else null. */
export function unavailableOf(error: unknown): LonghaulError | null {
  const what = reasonOf(error);
  return what === null ? null : new LonghaulError('UNAVAILABLE', what, { cause: error });
}

/** Whether the connection is to be closed although it answers: to a server that only reads, stops, or ended the session. */
export function isLost(error: unknown): boolean {
  const state = sqlState(causeOf(error)) ?? '';
  return state === onlyReads || /^(57P0|25P0[34])/.test(state);
}

/** The SQLSTATE of a failed statement, or null: https://www.postgresql.org/docs/current/errcodes-appendix.html */
export function sqlState(error: unknown): string | null {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : null;
}

function reasonOf(error: unknown): string | null {
  if (!(error instanceof Error) || error instanceof LonghaulError) return null;
  const state = sqlState(error) ?? '';
  if (state === statementTimeout) return 'The database took too long. Use a narrower filter, or try again.';
  if (state === onlyReads || state === full) return 'The database accepts no writes right now. Try again.';
  if (conflict.test(state)) return 'Another change was in the way. Try again.';
  return away.test(state) || messages.test(error.message) ? 'The database cannot be reached right now. Try again.' : null;
}

/** What the database said. */
function causeOf(error: unknown): unknown {
  return error instanceof LonghaulError ? error.cause : error;
}
