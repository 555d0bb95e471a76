import type { JsonObject } from '../json.ts';
import { type LogLine, mostLines } from '../jobs/logs/append.ts';
import type { LogLevel } from '../jobs/logs/line.ts';

/** How long a line waits for others, in milliseconds. */
const gatherMilliseconds = 100;

/** The log of an attempt's job. Lines are gathered and written in the background. Never put secrets or query strings into it. */
export class AttemptLog {
  readonly #write: (lines: readonly LogLine[]) => Promise<void>;
  #lines: LogLine[] = [];
  #written: Promise<void> = Promise.resolve();
  #timer: NodeJS.Timeout | null = null;

  /** @param write gets at most a thousand lines, one call after another. Must not reject. */
  constructor(write: (lines: readonly LogLine[]) => Promise<void>) {
    this.#write = write;
  }

  debug(message: string, fields?: JsonObject): void {
    this.#add('DEBUG', message, fields);
  }

  info(message: string, fields?: JsonObject): void {
    this.#add('INFO', message, fields);
  }

  warn(message: string, fields?: JsonObject): void {
    this.#add('WARN', message, fields);
  }

  error(message: string, fields?: JsonObject): void {
    this.#add('ERROR', message, fields);
  }

  /** Resolves when every line so far is written. */
  settled(): Promise<void> {
    this.#flush();
    return this.#written;
  }

  #add(level: LogLevel, message: string, fields: JsonObject | undefined): void {
    this.#lines.push({ level, message, fields });
    this.#timer ??= setTimeout(() => this.#flush(), gatherMilliseconds);
  }

  #flush(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    while (this.#lines.length > 0) {
      const lines = this.#lines.splice(0, mostLines);
      this.#written = this.#written.then(() => this.#write(lines));
    }
  }
}
