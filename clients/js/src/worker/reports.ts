import { LeaseLostError } from '../errors.ts';
import type { Calls } from './calls.ts';
import type { LogLine } from './handler.ts';

/** So long lines wait for others, in milliseconds. */
const gather = 200;

/** As many as one call takes. */
const mostLines = 1_000;

/** What an attempt tells on its way: the newest report, and lines together, one call at a time of each. */
export class Reports {
  readonly #calls: Calls;
  readonly #token: string;
  readonly #signal: AbortSignal;
  readonly #onLost: () => void;
  #report: Record<string, unknown> | null = null;
  #reporting: Promise<void> | null = null;
  #lines: LogLine[] = [];
  #logging: Promise<void> | null = null;
  #gathering: ReturnType<typeof setTimeout> | undefined;

  /** @param onLost told when the server says that the attempt is over */
  constructor(calls: Calls, token: string, signal: AbortSignal, onLost: () => void) {
    this.#calls = calls;
    this.#token = token;
    this.#signal = signal;
    this.#onLost = onLost;
  }

  /** Later values take the place of earlier ones that are not sent yet. */
  report(values: Record<string, unknown>): void {
    this.#report = { ...this.#report, ...values };
    this.#reporting ??= this.#sendReports().finally(() => (this.#reporting = null));
  }

  log(line: LogLine): void {
    this.#lines.push(line);
    if (this.#lines.length >= mostLines) this.#sendSoon(0);
    else this.#sendSoon(gather);
  }

  /** Sends all that waits. */
  async flush(): Promise<void> {
    clearTimeout(this.#gathering);
    this.#gathering = undefined;
    await this.#reporting;
    while (this.#lines.length > 0 || this.#logging !== null) await this.#sendWaitingLines();
  }

  #sendSoon(milliseconds: number): void {
    if (milliseconds > 0 && this.#gathering !== undefined) return;
    clearTimeout(this.#gathering);
    this.#gathering = setTimeout(() => {
      this.#gathering = undefined;
      void this.#sendWaitingLines();
    }, milliseconds);
  }

  async #sendReports(): Promise<void> {
    while (this.#report !== null) {
      const report = this.#report;
      this.#report = null;
      await this.#send('report', report);
    }
  }

  #sendWaitingLines(): Promise<void> {
    // Cleared here and not in #sendLines: with no line left that one ends before this assignment, and #logging would stay set for ever.
    return (this.#logging ??= this.#sendLines().finally(() => (this.#logging = null)));
  }

  async #sendLines(): Promise<void> {
    while (this.#lines.length > 0) await this.#sendLot(this.#lines.splice(0, mostLines));
  }

  /** One line that is refused, or many that are too large together, keep no other from the log. */
  async #sendLot(lines: readonly LogLine[]): Promise<void> {
    if (await this.#send('log', { lines })) return;
    const half = Math.ceil(lines.length / 2);
    if (lines.length > 1) for (const lot of [lines.slice(0, half), lines.slice(half)]) await this.#sendLot(lot);
    else await this.#send('log', { lines: lines.map(({ level, message, at }) => ({ level, message, at })) });
  }

  /** What is refused is dropped: a report is never worth an attempt. @returns false if it was refused */
  async #send(call: 'report' | 'log', values: object): Promise<boolean> {
    try {
      await this.#calls.send(call, { token: this.#token, ...values }, this.#signal);
    } catch (error) {
      if (error instanceof LeaseLostError) this.#onLost();
      else return this.#signal.aborted;
    }
    return true;
  }
}
