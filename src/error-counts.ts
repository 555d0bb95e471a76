import { type ErrorCode, errorTable, isErrorCode } from './errors.ts';

/**
 * How often each error was answered over GraphQL, which says 200 for most: those in `errors`, and expected ones that are
 * members of a union. Its codes are those of the table.
 */
export class ErrorCounts {
  readonly #counts = new Map<ErrorCode, number>();

  add(code: unknown): void {
    if (isErrorCode(code)) this.#counts.set(code, (this.#counts.get(code) ?? 0) + 1);
  }

  all(): { code: ErrorCode; status: number; count: number }[] {
    return [...this.#counts].map(([code, count]) => ({ code, status: errorTable[code].httpStatus, count }));
  }
}
