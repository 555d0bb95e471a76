import { z } from 'zod';
import type { Bus, Unsubscribe } from '../../bus/bus.ts';
import { Loop } from '../../concurrency/loop.ts';
import { Mailbox } from '../../concurrency/mailbox.ts';
import type { Database } from '../../database/database.ts';
import { parseInput } from '../../input.ts';
import type { Log } from '../../log.ts';
import { lostTopic } from '../feed/announcer.ts';
import type { Job } from '../model/job.ts';
import type { ImposedOutcome } from '../model/state-machine.ts';
import { type Ended, type Ref, readEnded, readHeld } from './ended-leases.ts';

/** How often the leases of workers that listen are read, in case a message was lost. */
const pollMilliseconds = 5_000;

/** The most lost leases that wait for one listener. */
const mostWaiting = 1_000;

export type LeaseLostReason = ImposedOutcome | 'SUPERSEDED';

/** A lease that ended without its worker's word. */
export interface LostLease {
  jobId: string;
  /** Null once another attempt has begun. */
  job: Job | null;
  attempt: number;
  /** The secret of the lease. */
  token: string;
  reason: LeaseLostReason;
}

const listening = z.object({ apiKeyId: z.guid(), workerId: z.string().min(1).max(200) });

/** Whose leases: those that this key has claimed for this worker, whatever process it claimed them for. */
export interface Listening {
  apiKeyId: string;
  workerId: string;
}

/** One listener. */
interface Listener extends Listening {
  mailbox: Mailbox<LostLease>;
  /** What it held when that was last read, by `nameOf`. */
  held: ReadonlyMap<string, Ref>;
  /** What it was told of since the last poll, and since the one before. */
  told: readonly [Set<string>, Set<string>];
}

/** The listeners of one key. */
interface Topic {
  listeners: Set<Listener>;
  /** Resolves once messages are heard. */
  bound: Promise<void>;
  unsubscribe: Unsubscribe | null;
}

/**
 * Tells workers of leases that ended without their word: the job was cancelled, or the lease expired or timed out. A message of
 * the bus names the attempt, and what is told is read from the row that the end has left: so the bus carries no token. What a
 * listener holds is read every few seconds and when the bus is back; what is gone from it since, and of what no message came, is
 * read alike.
 */
export class LostLeases {
  readonly #database: Database;
  readonly #bus: Bus;
  readonly #topics = new Map<string, Topic>();
  readonly loop: Loop;
  /** Attempts that messages named, by the key that has held them. */
  #heard: { apiKeyId: string; ref: Ref }[] = [];
  #readAll = false;
  #offReconnect: Unsubscribe | null = null;

  constructor(database: Database, bus: Bus, log: Log) {
    this.#database = database;
    this.#bus = bus;
    this.loop = new Loop({ name: 'telling workers what they lost', work: ({ polled }) => this.#tell(polled), pollMilliseconds, log });
  }

  start(): void {
    this.#offReconnect = this.#bus.onReconnect(() => this.#lookAtAll());
    this.loop.start();
  }

  /** Ends every stream. May be called twice. */
  async stop(): Promise<void> {
    this.#offReconnect?.();
    for (const { mailbox } of this.#listeners()) mailbox.end();
    await this.loop.stop();
  }

  /** How many workers listen whose messages are heard. */
  get size(): number {
    return [...this.#topics.values()].reduce((sum, { listeners, unsubscribe }) => sum + (unsubscribe === null ? 0 : listeners.size), 0);
  }

  /** @throws ValidationError */
  async listen(request: Listening): Promise<AsyncIterableIterator<LostLease, void, void>> {
    const { apiKeyId, workerId } = parseInput(listening, request);
    const topic = this.#topics.get(apiKeyId) ?? this.#open(apiKeyId);
    const mailbox = new Mailbox<LostLease>(mostWaiting, () => this.#leave(apiKeyId, topic, listener));
    const listener: Listener = { apiKeyId, workerId, mailbox, held: new Map(), told: [new Set(), new Set()] };
    topic.listeners.add(listener);
    await topic.bound;
    this.#lookAtAll();
    return mailbox;
  }

  #open(apiKeyId: string): Topic {
    const topic: Topic = { listeners: new Set(), bound: Promise.resolve(), unsubscribe: null };
    topic.bound = this.#bind(apiKeyId, topic);
    this.#topics.set(apiKeyId, topic);
    return topic;
  }

  /** Unsubscribes at once if the last listener left meanwhile. */
  async #bind(apiKeyId: string, topic: Topic): Promise<void> {
    topic.unsubscribe = await this.#bus.subscribe(lostTopic(apiKeyId), (message) => {
      const [jobId = '', attempt = ''] = message.split(' ');
      this.#heard.push({ apiKeyId, ref: { jobId, attempt: Number(attempt) } });
      this.loop.wake();
    });
    if (topic.listeners.size === 0) topic.unsubscribe();
  }

  #leave(apiKeyId: string, topic: Topic, listener: Listener): void {
    topic.listeners.delete(listener);
    if (topic.listeners.size > 0) return;
    topic.unsubscribe?.();
    if (this.#topics.get(apiKeyId) === topic) this.#topics.delete(apiKeyId);
  }

  #listeners(): Listener[] {
    return [...this.#topics.values()].flatMap(({ listeners }) => [...listeners]);
  }

  #lookAtAll(): void {
    this.#readAll = true;
    this.loop.wake();
  }

  async #tell(polled: boolean): Promise<void> {
    const listeners = this.#listeners();
    const heard = this.#heard;
    const readsAll = (polled || this.#readAll) && listeners.length > 0;
    this.#heard = [];
    this.#readAll = false;
    try {
      const lost = new Map(listeners.map((listener) => [listener, new Map<string, Ref>()]));
      for (const { apiKeyId, ref } of heard) {
        for (const listener of listeners) if (listener.apiKeyId === apiKeyId) lost.get(listener)?.set(nameOf(ref), ref);
      }
      const held = readsAll ? await readHeld(this.#database.hot, listeners) : [];
      if (readsAll) for (const [listener, refs] of lost) for (const ref of gone(listener, held)) refs.set(nameOf(ref), ref);
      const refs = new Map([...lost.values()].flatMap((each) => [...each]));
      const ended = refs.size === 0 ? [] : await readEnded(this.#database.hot, [...refs.values()]);
      for (const [listener, theirs] of lost) this.#put(listener, ended.filter((each) => theirs.has(nameOf(each))));
      if (readsAll) for (const listener of listeners) renew(listener, held);
    } catch (error) {
      // The next run tells it.
      this.#heard.unshift(...heard);
      this.#readAll ||= readsAll;
      throw error;
    }
  }

  #put(listener: Listener, ended: readonly Ended[]): void {
    const [told, before] = listener.told;
    for (const { workerId, outcome, ...lost } of ended) {
      const name = nameOf(lost);
      if (workerId !== listener.workerId || told.has(name) || before.has(name)) continue;
      told.add(name);
      listener.mailbox.put({ ...lost, reason: lost.job === null ? 'SUPERSEDED' : outcome });
    }
  }
}

function nameOf({ jobId, attempt }: Ref): string {
  return `${jobId} ${attempt}`;
}

function isHeldBy({ apiKeyId, workerId }: Listening): (held: Listening) => boolean {
  return (held) => held.apiKeyId === apiKeyId && held.workerId === workerId;
}

/** What the listener has held and does not any more. */
function gone(listener: Listener, held: readonly (Ref & Listening)[]): Ref[] {
  const names = new Set(held.filter(isHeldBy(listener)).map(nameOf));
  return [...listener.held].flatMap(([name, ref]) => (names.has(name) ? [] : [ref]));
}

function renew(listener: Listener, held: readonly (Ref & Listening)[]): void {
  listener.held = new Map(held.filter(isHeldBy(listener)).map((ref) => [nameOf(ref), ref]));
  listener.told = [new Set(), listener.told[0]];
}
