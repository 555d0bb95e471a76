import type { Connection } from './connection.ts';
import type { Frame } from './frame.ts';

/** Most frames that may wait for one watcher. Only changes of status add up: progress of one job replaces itself. */
const mostWaiting = 1_000;

/** How a transport writes a frame and ends a subscription. */
export interface Format {
  next(frame: Frame): string;
  /** Called when the subscription is over and everything was sent. */
  end(): void;
}

/** One watcher of a broadcast. Queues frames, up to a limit, while its connection is congested. */
export class Member {
  readonly #connection: Connection;
  readonly #format: Format;
  /** The last version sent; null for a subscription in which every frame is sent. */
  #seen: number | null;
  #waiting: Frame[] | null = null;
  #ended = false;
  #onDrained: PromiseWithResolvers<void> | null = null;

  constructor(connection: Connection, format: Format, seen: number | null) {
    this.#connection = connection;
    this.#format = format;
    this.#seen = seen;
  }

  /** Whether it gets nothing more: it has left, or everything was sent or waits to be. */
  get isOver(): boolean {
    return this.#ended;
  }

  /** Up to where it has, or will get, everything; 0 where every frame is sent. */
  get seen(): number {
    return this.#seen ?? 0;
  }

  /** There is nothing more for it up to this version. */
  skipTo(version: number): void {
    this.#seen = Math.max(this.seen, version);
  }

  offer(frame: Frame): void {
    if (this.#ended || (this.#seen !== null && frame.version <= this.#seen)) return;
    if (this.#seen !== null) this.#seen = frame.version;
    if (this.#waiting !== null) this.#wait(this.#waiting, frame);
    else if (!this.#connection.send(this.#format.next(frame), this)) {
      this.#waiting = [frame];
      this.#connection.hold(frame.payload.length);
    }
  }

  /** Resolves when no frame waits, or the watcher has left. */
  async drained(): Promise<void> {
    if (this.#waiting === null) return;
    this.#onDrained ??= Promise.withResolvers<void>();
    await this.#onDrained.promise;
  }

  /** Ends the subscription after the waiting frames were sent. */
  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    if (this.#waiting === null) this.#format.end();
  }

  /** Called when the source failed. The client reconnects and resumes; after an orderly end it would not. */
  breakOff(): void {
    if (!this.#ended) this.#connection.giveUp();
  }

  /** Called when the watcher leaves: drops the waiting frames and sends nothing more. */
  leave(): void {
    this.#ended = true;
    this.#letGo(this.#waiting ?? []);
    this.#connection.forget(this);
  }

  /** The connection calls it when it has room again. */
  flush(): void {
    const waiting = this.#waiting ?? [];
    this.#letGo(waiting);
    for (const [index, frame] of waiting.entries()) {
      if (this.#connection.send(this.#format.next(frame), this)) continue;
      const rest = waiting.slice(index);
      this.#waiting = rest;
      this.#connection.hold(charactersOf(rest));
      return;
    }
    this.#tellDrained();
    if (this.#ended) this.#format.end();
  }

  #wait(waiting: Frame[], frame: Frame): void {
    const older = waiting.findIndex((each) => each.replaceable && each.jobId === frame.jobId);
    if (older !== -1) this.#connection.hold(-charactersOf(waiting.splice(older, 1)));
    waiting.push(frame);
    this.#connection.hold(frame.payload.length);
    if (waiting.length > mostWaiting) this.#connection.giveUp();
  }

  #letGo(waiting: readonly Frame[]): void {
    this.#waiting = null;
    this.#connection.hold(-charactersOf(waiting));
    if (this.#ended) this.#tellDrained();
  }

  #tellDrained(): void {
    this.#onDrained?.resolve();
    this.#onDrained = null;
  }
}

function charactersOf(frames: readonly Frame[]): number {
  return frames.reduce((sum, { payload }) => sum + payload.length, 0);
}
