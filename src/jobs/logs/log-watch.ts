import type { JobDeletedError } from '../model/job-errors.ts';
import type { JobLogLine, LogLevel } from './line.ts';

/** Consecutive lines of a job, of one level and all above it. */
export interface LogPage {
  jobId: string;
  lines: readonly JobLogLine[];
  /** Everything up to this sequence is in it, or before it. */
  upTo: number;
}

/** A job to watch. */
export interface LogsAsked {
  workspaceId: string;
  jobId: string;
  level: LogLevel;
  /** Where the request itself says to begin. The watch does not: see `missed`. */
  from: number;
  /** Ends the watch. */
  signal: AbortSignal | null;
}

/** The feed that watches belong to. */
export interface LogSource {
  /** Resolves once the job's topics are subscribed, with the sequence of its newest line. */
  enter(watch: LogWatch): Promise<number>;
  /** The watch waits for lines, and there may be some. */
  want(watch: LogWatch): void;
  leave(watch: LogWatch): void;
  /** A page of lines after one sequence, up to another. Null if the watch is closed meanwhile. Throws JobDeletedError. */
  read(watch: LogWatch, after: number, upTo: number): Promise<LogPage | null>;
}

const over: IteratorReturnResult<void> = { value: undefined, done: true };

/**
 * One watch of a job's log: the lines that follow from now on, in pages. It ends when the job has ended and all of its lines
 * were taken; if the job is deleted before, it throws JobDeletedError. It holds no line that nobody has asked for: each page is
 * read when the reader wants it, so a slow reader costs nothing. The reader must await each `next()` before it calls it again.
 */
export class LogWatch implements AsyncIterableIterator<LogPage, void, void> {
  readonly asked: LogsAsked;
  /** Resolves once no further line can be missed. Rejects if the database cannot be read. */
  readonly started: Promise<void>;
  /** The first page follows this sequence. Known once it has started. */
  start = 0;
  /** Lines up to this sequence were read. */
  position = 0;
  /** Whether there may be lines, or an end, after its position. A new watch does not know. */
  isStale = true;
  /** Whether it gives no more pages: the job has ended and it has given all, or is deleted, or it is closed. */
  ended = false;
  /** Whether nobody wants anything of it any more, not even what was missed. */
  isClosed = false;
  readonly #source: LogSource;
  readonly #onAbort = () => this.close();
  /** Thrown once. */
  #failure: JobDeletedError | null = null;
  #wake: ((result: IteratorResult<LogPage, void> | Promise<never>) => void) | null = null;

  constructor(source: LogSource, asked: LogsAsked) {
    this.#source = source;
    this.asked = asked;
    asked.signal?.addEventListener('abort', this.#onAbort);
    this.started = this.#begin();
    // Whoever awaits it is told, too.
    this.started.catch(() => this.close());
    if (asked.signal?.aborted === true) this.close();
  }

  /** Where the request itself says to begin. */
  get from(): number {
    return this.asked.from;
  }

  /** Whether its reader waits. */
  get isHungry(): boolean {
    return this.#wake !== null;
  }

  /**
   * What a reader has missed that came later: a page of lines after a sequence, up to one of those that the watch has given.
   * Null if the watch is closed. Throws JobDeletedError.
   */
  missed(after: number, upTo: number): Promise<LogPage | null> {
    return this.#source.read(this, after, upTo);
  }

  /** There may be news. */
  woken(): void {
    this.isStale = true;
    if (this.isHungry) this.#source.want(this);
  }

  /** Takes what was read after its position. */
  take(page: LogPage): void {
    this.position = page.upTo;
    if (page.lines.length > 0) this.#answer({ value: page, done: false });
  }

  close(): void {
    this.isClosed = true;
    this.end();
  }

  /** It has given all lines that there will ever be. */
  end(): void {
    if (this.ended) return;
    this.ended = true;
    this.asked.signal?.removeEventListener('abort', this.#onAbort);
    this.#source.leave(this);
    if (this.isHungry) this.#answer(this.#end());
  }

  /** There are lines that it can give no more. */
  fail(error: JobDeletedError): void {
    if (!this.ended) this.#failure = error;
    this.end();
  }

  next(): Promise<IteratorResult<LogPage, void>> {
    if (this.ended) return Promise.resolve(this.#end());
    return new Promise((resolve) => {
      this.#wake = resolve;
      if (this.isStale) this.#source.want(this);
    });
  }

  async return(): Promise<IteratorReturnResult<void>> {
    this.#failure = null;
    this.close();
    return over;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async #begin(): Promise<void> {
    this.start = await this.#source.enter(this);
    this.position = this.start;
  }

  #end(): IteratorReturnResult<void> | Promise<never> {
    const failure = this.#failure;
    this.#failure = null;
    return failure === null ? over : Promise.reject(failure);
  }

  #answer(result: IteratorResult<LogPage, void> | Promise<never>): void {
    const wake = this.#wake;
    this.#wake = null;
    wake?.(result);
  }
}
