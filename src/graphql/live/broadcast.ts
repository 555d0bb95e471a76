import { setImmediate as nextTurn } from 'node:timers/promises';
import type { GraphQLError } from 'graphql';
import type { Log } from '../../log.ts';
import type { Frame } from './frame.ts';
import type { Member } from './member.ts';

/** Watchers to send a frame to before yielding to the event loop: about two milliseconds of work. */
const portion = 200;

/** What a broadcast runs: it opens the event source and renders each event. */
export interface LiveExecution {
  /** The events, or the errors why there are none. */
  open(): Promise<AsyncIterable<unknown> | readonly GraphQLError[]>;
  /** Null if the event is not to be sent. */
  render(event: unknown): Promise<Frame | null>;
  /** Whether the newest frame replaces all before it, so that a late member starts with it. */
  readonly replays: boolean;
  /** Whether it waits for its members to read. Set for a single watcher that is catching up. */
  readonly paced: boolean;
  /** Checks whether there is anything newer than the frame. */
  refresh(frame: Frame): void;
}

/** One execution of a subscription, shared by all who watch the same thing with the same rights (PROTOCOL.md, S1). */
export class Broadcast {
  readonly #execution: LiveExecution;
  readonly #log: Log;
  readonly #onClosed: () => void;
  readonly #members = new Set<Member>();
  #source: AsyncIterator<unknown> | null = null;
  #latest: Frame | null = null;
  /** Whether every event received so far was sent. */
  #idle = false;
  #closed = false;
  /** Resolves to null once the source is open, or to the errors why it cannot open. Never rejects. */
  readonly opened: Promise<readonly GraphQLError[] | null>;

  /** @param onClosed called once, when it accepts no more members */
  constructor(execution: LiveExecution, log: Log, onClosed: () => void) {
    this.#execution = execution;
    this.#log = log;
    this.#onClosed = onClosed;
    this.opened = this.#open();
  }

  /** A late member gets the newest version at once, and then anything committed before it joined (P1, P5). */
  add(member: Member): void {
    this.#members.add(member);
    if (this.#latest === null || !this.#execution.replays) return;
    member.offer(this.#latest);
    this.#execution.refresh(this.#latest);
  }

  /**
   * Hands over a member that has caught up. It belongs to both broadcasts for a while, so it may get an event twice but
   * never misses one.
   */
  async handOver(member: Member, to: Broadcast): Promise<void> {
    to.add(member);
    if ((await to.opened) !== null) return;
    do await nextTurn();
    while (!this.#idle && !this.#closed);
    if (this.#members.delete(member) && this.#members.size === 0) this.#close();
  }

  /** Closes the broadcast with its last member. */
  remove(member: Member): void {
    member.leave();
    if (this.#members.delete(member) && this.#members.size === 0) this.#close();
  }

  async #open(): Promise<readonly GraphQLError[] | null> {
    const source = await this.#execution.open();
    if (!(Symbol.asyncIterator in source)) {
      this.#close();
      return source;
    }
    this.#source = source[Symbol.asyncIterator]();
    // All members may have left while it opened.
    if (this.#closed) await this.#source.return?.();
    else void this.#run(this.#source);
    return null;
  }

  async #run(source: AsyncIterator<unknown>): Promise<void> {
    try {
      while (await this.#step(source));
      const members = [...this.#members];
      this.#close();
      for (const member of members) member.end();
    } catch (error) {
      this.#log.error({ err: error }, 'a subscription failed; its watchers reconnect and resume');
      const members = [...this.#members];
      this.#close();
      for (const member of members) member.breakOff();
    }
  }

  /**
   * Sends one event; false after the last. A separate function, so that the loop holds no event while it waits for the next:
   * with ten thousand watched jobs that memory adds up.
   */
  async #step(source: AsyncIterator<unknown>): Promise<boolean> {
    this.#idle = true;
    const { value, done } = await source.next();
    this.#idle = false;
    if (done === true) return false;
    const frame = await this.#execution.render(value);
    if (frame === null) return true;
    this.#latest = frame;
    await this.#offer(frame);
    if (this.#execution.paced) for (const member of this.#members) await member.drained();
    return !frame.last;
  }

  /** Sends in portions, so that the process stays responsive and can learn of the next version meanwhile. */
  async #offer(frame: Frame): Promise<void> {
    // A member that joins meanwhile is offered the frame by `add`; one that leaves ignores it.
    const members = [...this.#members];
    for (const [index, member] of members.entries()) {
      if (index > 0 && index % portion === 0) await nextTurn();
      member.offer(frame);
    }
  }

  #close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#onClosed();
    this.#members.clear();
    // Not awaited: a generator's `return` settles only after its current wait.
    this.#source?.return?.().catch((error: unknown) => this.#log.error({ err: error }, 'could not close the source of a subscription'));
  }
}
