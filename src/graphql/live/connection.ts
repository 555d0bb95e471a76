
/** Above this many unsent bytes a connection is congested and gets no new frames (PROTOCOL.md, S3). */
const congestedBytes = 64 * 1024;

/** At or below this many unsent bytes it gets the frames that waited. */
const drainedBytes = 16 * 1024;

/** Most characters of frames that may wait for one connection; above that it is closed, and its client resumes. */
const mostHeld = 16 * 1024 * 1024;

/** How often to look for stalled connections. */
const checkMilliseconds = 1_000;

/** A watcher that the connection has no room for just now. */
interface Waiter {
  /** Called when there is room again. */
  flush(): void;
}

/** One socket or event stream, with flow control for its subscriptions. */
export abstract class Connection {
  readonly #stalled: StalledConnections;
  /** Null while the client keeps up, as most do, because an empty set per connection would waste memory. */
  #waiting: Set<Waiter> | null = null;
  #held = 0;

  constructor(stalled: StalledConnections) {
    this.#stalled = stalled;
  }

  /** Bytes that were written but not sent yet. */
  protected abstract get unsent(): number;

  protected abstract write(text: string): void;

  /** Called when the connection is congested. The subclass must call `sent` when bytes have been sent. */
  protected abstract congested(): void;

  /**
   * Closes it in a way that makes its client reconnect and resume.
   *
   * @param why the client's slowness unless it is said; a socket tells it
   */
  abstract giveUp(why?: string): void;

  /** Sends at once if there is room. Otherwise returns false, and calls the waiter's `flush` when there is room. */
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

  /** Adds to the characters that waiters hold until there is room; negative when they release them. */
  hold(characters: number): void {
    this.#held += characters;
    if (this.#held > mostHeld) this.giveUp();
  }

  forget(waiter: Waiter): void {
    if (this.#waiting?.delete(waiter) === true && this.#waiting.size === 0) this.#keepsUp();
  }

  /** Subclasses call it whenever bytes have been sent. */
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

/** Closes connections that stay congested for too long: they hold memory and would never catch up. */
export class StalledConnections {
  readonly #since = new Map<Connection, number>();
  readonly #timer: NodeJS.Timeout;

  /** @param patience how long a connection may stay congested, in milliseconds */
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
