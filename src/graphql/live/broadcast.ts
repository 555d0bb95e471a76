import { setImmediate as nextTurn } from 'node:timers/promises';
import type { GraphQLError } from 'graphql';
import type { Log } from '../../log.ts';
import type { Frame } from './frame.ts';
import type { Member } from './member.ts';

/** Watchers that are sent a frame before everything else has its turn: two milliseconds' worth. */
const portion = 200;

/** What a broadcast carries out: opens the source of events, and renders each of them. */
export interface LiveExecution {
  /** The events, or why there are none. */
  open(): Promise<AsyncIterable<unknown> | readonly GraphQLError[]>;
  /** Null for what is not to be sent. */
  render(event: unknown): Promise<Frame | null>;
  /** Whether the newest frame stands for all before it, so that whoever joins late begins with it. */
  readonly replays: boolean;
  /** Whether it goes no faster than its members read: one that is for one watcher alone, and makes up for what it missed. */
  readonly paced: boolean;
  /** Looks whether there is anything newer than the frame. */
  refresh(frame: Frame): void;
}

/** One execution of a subscription for everyone who watches the same with the same rights (PROTOCOL.md, S1). */
export class Broadcast {
  readonly #execution: LiveExecution;
  readonly #log: Log;
  readonly #onClosed: () => void;
  readonly #members = new Set<Member>();
  #source: AsyncIterator<unknown> | null = null;
  #latest: Frame | null = null;
  /** Whether everything that has come was sent. */
  #idle = false;
  #closed = false;
  /** Null once events come; the reasons where none ever will. Never rejects. */
  readonly opened: Promise<readonly GraphQLError[] | null>;

  /** @param onClosed called once, when it takes no more members */
  constructor(execution: LiveExecution, log: Log, onClosed: () => void) {
    this.#execution = execution;
    this.#log = log;
    this.#onClosed = onClosed;
    this.opened = this.#open();
  }

  /** A late member gets the newest version at once, and whatever was committed before it came (P1, P5). */
  add(member: Member): void {
    this.#members.add(member);
    if (this.#latest === null || !this.#execution.replays) return;
    member.offer(this.#latest);
    this.#execution.refresh(this.#latest);
  }

  /**
   * Hands a member over that has caught up. First it belongs to both: what comes in between, it may be sent twice, and
   * nothing is left out.
   */
  async handOver(member: Member, to: Broadcast): Promise<void> {
    to.add(member);
    if ((await to.opened) !== null) return;
    do await nextTurn();
    while (!this.#idle && !this.#closed);
    if (this.#members.delete(member) && this.#members.size === 0) this.#close();
  }

  /** The last one out closes it. */
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
    // Everyone may have left while it opened.
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
      this.#log.error({ err: error }, 'a subscription broke off; its watchers connect again and resume');
      const members = [...this.#members];
      this.#close();
      for (const member of members) member.breakOff();
    }
  }

  /**
   * Sends one event; false after the last. A function of its own, so that nothing of an event is held while the next is
   * waited for: ten thousand watched jobs take memory.
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

  /** In portions: what wakes the next version comes in meanwhile, and everybody else is answered. */
  async #offer(frame: Frame): Promise<void> {
    // Whoever joins meanwhile is offered the frame then, and whoever leaves takes no more.
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
    // A generator's `return` settles when it has left what it waits for.
    this.#source?.return?.().catch((error: unknown) => this.#log.error({ err: error }, 'a source did not close'));
  }
}
