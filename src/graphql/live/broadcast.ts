import { setImmediate as nextTurn } from 'node:timers/promises';
import type { GraphQLError } from 'graphql';
import type { Log } from '../../log.ts';
import { CatchingUp, isPaged } from './catching-up.ts';
import type { Frame, Joining } from './frame.ts';
import type { Member } from './member.ts';

/** Watchers to send a frame to before yielding to the event loop: about two milliseconds of work. */
const portion = 200;

/** What a broadcast runs: it opens the event source and renders each event. */
export interface LiveExecution {
  /** The events, or the errors why there are none. */
  open(): Promise<AsyncIterable<unknown> | readonly GraphQLError[]>;
  /** Null if the event is not to be sent. */
  render(event: unknown): Promise<Frame | null>;
  /** What members are told if the source ends with this error for good; null if they may come back and resume. */
  farewell(error: unknown): Frame | null;
  /** How a late member gets to where the others are. */
  readonly joining: Joining;
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
  /** Members that are still sent what the others have got already. */
  readonly #behind = new Set<Member>();
  #source: AsyncIterator<unknown> | null = null;
  /** Null unless the source can be read again. */
  #catchingUp: CatchingUp | null = null;
  #latest: Frame | null = null;
  /** Whether every event received so far was sent. */
  #idle = false;
  /** Whether the source has ended. Members that are behind are still sent what came before. */
  #isOver = false;
  /** What is told when it is over, if that is an error. */
  #farewell: Frame | null = null;
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
    if (this.#execution.joining === 'pages') return void this.#catchUp(member);
    this.#members.add(member);
    if (this.#latest === null || this.#execution.joining !== 'newest') return;
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
    this.#delete(member);
  }

  /** Closes the broadcast with its last member. */
  remove(member: Member): void {
    member.leave();
    this.#delete(member);
  }

  #delete(member: Member): void {
    const wasHere = this.#members.delete(member) || this.#behind.delete(member);
    if (wasHere && this.#members.size + this.#behind.size === 0) this.#close();
  }

  /** Never rejects. */
  async #catchUp(member: Member): Promise<void> {
    this.#behind.add(member);
    if ((await this.opened) !== null) return;
    try {
      await this.#catchingUp?.bring(member, () => this.#join(member));
    } catch (error) {
      const farewell = this.#execution.farewell(error);
      if (farewell !== null) {
        this.#delete(member);
        return part(member, farewell);
      }
      this.#log.error({ err: error }, 'a watcher could not be sent what it has missed; it reconnects and resumes');
      this.#delete(member);
      member.breakOff();
    }
  }

  /** The member has got all that the others have. */
  #join(member: Member): void {
    this.#members.add(member);
    this.#behind.delete(member);
    if (!this.#isOver) return;
    this.#delete(member);
    part(member, this.#farewell);
  }

  async #open(): Promise<readonly GraphQLError[] | null> {
    const source = await this.#execution.open();
    if (!(Symbol.asyncIterator in source)) {
      this.#close();
      return source;
    }
    this.#source = source[Symbol.asyncIterator]();
    if (isPaged(source)) this.#catchingUp = new CatchingUp(source, (event) => this.#execution.render(event));
    // All members may have left while it opened.
    if (this.#closed) await this.#source.return?.();
    else void this.#run(this.#source);
    return null;
  }

  async #run(source: AsyncIterator<unknown>): Promise<void> {
    try {
      while (await this.#step(source));
      this.#end(null);
    } catch (error) {
      const farewell = this.#execution.farewell(error);
      if (farewell !== null) return this.#end(farewell);
      this.#log.error({ err: error }, 'a subscription failed; its watchers reconnect and resume');
      const members = [...this.#members, ...this.#behind];
      this.#close();
      for (const member of members) member.breakOff();
    }
  }

  #end(farewell: Frame | null): void {
    this.#isOver = true;
    this.#farewell = farewell;
    this.#catchingUp?.end();
    const members = [...this.#members];
    this.#members.clear();
    if (this.#behind.size === 0) this.#close();
    for (const member of members) part(member, farewell);
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
    this.#catchingUp?.moveTo(frame.version);
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
    this.#behind.clear();
    // Not awaited: a generator's `return` settles only after its current wait.
    this.#source?.return?.().catch((error: unknown) => this.#log.error({ err: error }, 'could not close the source of a subscription'));
  }
}

/** @param farewell the error that it ends with, if it does */
function part(member: Member, farewell: Frame | null): void {
  if (farewell !== null) member.offer(farewell);
  member.end();
}
