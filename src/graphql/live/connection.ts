
/** Unsent bytes above which a connection gets nothing new (PROTOCOL.md, S3). */
const congestedBytes = 64 * 1024;

/** Unsent bytes below which it gets what has waited. */
const drainedBytes = 16 * 1024;

/** Characters of frames that may wait for one connection; beyond them it is given up, and resumes. */
const mostHeld = 16 * 1024 * 1024;

/** How often stalled connections are looked for, in milliseconds. */
const checkMilliseconds = 1_000;

/** A watcher that the connection has no room for just now. */
interface Waiter {
  /** Called when there is room again. */
  flush(): void;
}

/** One socket or event stream, as the watchers behind it see it. */
export abstract class Connection {
  readonly #stalled: StalledConnections;
  /** Null while it keeps up, as most do: an empty set for each would take memory. */
  #waiting: Set<Waiter> | null = null;
  #held = 0;

  constructor(stalled: StalledConnections) {
    this.#stalled = stalled;
  }

  /** Bytes that were given to it and have not left. */
  protected abstract get unsent(): number;

  protected abstract write(text: string): void;

  /** There is no room; `sent` is to be called when there is some again. */
  protected abstract congested(): void;

  /** Ends it so that its client connects again and resumes. */
  abstract giveUp(): void;

  /** Sends at once if there is room. Otherwise answers false, and flushes the waiter when there is room again. */
  send(text: string, waiter: Waiter): boolean {
    if (this.#waiting !== null || this.unsent > congestedBytes) {
      if (this.#waiting === null) {
        this.#waiting = new Set();
        this.#stalled.add(this);
        this.congested();
      }
      this.#waiting.add(waiter);
      return false;
    }
    this.write(text);
    return true;
  }

  /** Counts characters that waiters keep until there is room; a negative number when they let go of them. */
  hold(characters: number): void {
    this.#held += characters;
    if (this.#held > mostHeld) this.giveUp();
  }

  forget(waiter: Waiter): void {
    if (this.#waiting?.delete(waiter) === true && this.#waiting.size === 0) this.#keepsUp();
  }

  /** To be called whenever something has left. */
  protected sent(): void {
    if (this.#waiting === null || this.unsent > drainedBytes) return;
    const waiting = this.#waiting;
    this.#keepsUp();
    for (const waiter of waiting) waiter.flush();
  }

  #keepsUp(): void {
    this.#waiting = null;
    this.#stalled.remove(this);
  }
}

/** Connections that have been congested for too long are given up: they hold memory, and would never catch up. */
export class StalledConnections {
  readonly #since = new Map<Connection, number>();
  readonly #timer: NodeJS.Timeout;

  /** @param patience milliseconds for which a connection may be congested without a break */
  constructor(patience: number) {
    this.#timer = setInterval(() => this.#check(patience), checkMilliseconds);
  }

  get size(): number {
    return this.#since.size;
  }

  add(connection: Connection): void {
    this.#since.set(connection, performance.now());
  }

  remove(connection: Connection): void {
    this.#since.delete(connection);
  }

  /** May be called twice. */
  stop(): void {
    clearInterval(this.#timer);
    this.#since.clear();
  }

  #check(patience: number): void {
    const now = performance.now();
    for (const [connection, since] of this.#since) {
      if (now - since < patience) continue;
      this.#since.delete(connection);
      connection.giveUp();
    }
  }
}
