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
    while (this.#lines.length > 0) await this.#send('log', { lines: this.#lines.splice(0, mostLines) });
  }

  /** What is refused is dropped: a report is never worth an attempt. */
  async #send(call: 'report' | 'log', values: object): Promise<void> {
    try {
      await this.#calls.send(call, { token: this.#token, ...values }, this.#signal);
    } catch (error) {
      if (error instanceof LeaseLostError) this.#onLost();
    }
  }
}
