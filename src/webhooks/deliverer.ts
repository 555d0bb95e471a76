import { setTimeout as delay } from 'node:timers/promises';
import { Loop } from '../concurrency/loop.ts';
import type { OutboundAllow } from '../outbound/addresses.ts';
import type { Database } from '../database/database.ts';
import type { Jobs } from '../jobs/jobs.ts';
import type { Log } from '../log.ts';
import { makeDueReady } from './due.ts';
import { noteOutcome, putBack } from './outcome.ts';
import { type Outcome, Sender } from './sender.ts';
import { standardHeaders } from './signature.ts';
import type { WebhookSurfaces } from './surface.ts';
import { beginning, takeReady, type Try } from './take.ts';

/** How long a retry that is due, or what a process that died had noted, waits at most to be seen. */
const lookMilliseconds = 1_000;

/** Tries that this process has under way at once. */
const mostAtOnce = 100;

/** Tries that one statement takes. */
const batch = 20;

/** Tries that end within so long make room for one look: a look for each would be most of the work under load. */
const gatherMilliseconds = 20;

/** How often, and how far apart in milliseconds, it is tried to record what became of a try. */
const recordings = 5;
const recordingMilliseconds = 300;

/** What is under way when the process stops has so long to end by itself. */
const stopMilliseconds = 5_000;

export interface DelivererOptions {
  jobs: Jobs;
  database: Database;
  outboundAllow: OutboundAllow;
  surfaces: WebhookSurfaces;
  log: Log;
}

/**
 * Sends the deliveries that the transitions noted. Every process does, whatever its ROLE, and each try is made by one of
 * them: the delivery's row is its entry in the queue. What a receiver does changes that row and nothing else.
 *
 * At least once: a process that dies between the answer and its note leaves a delivery that is sent again, under the same
 * `webhook-id`.
 */
export class Deliverer {
  readonly #jobs: Jobs;
  readonly #database: Database;
  readonly #surfaces: WebhookSurfaces;
  readonly #log: Log;
  readonly #sender: Sender;
  readonly #loop: Loop;
  readonly #stopping = new AbortController();
  readonly #underWay = new Map<Try, Promise<void>>();
  #from = beginning;
  #gathering: NodeJS.Timeout | null = null;
  #stopped: Promise<void> | null = null;

  constructor({ jobs, database, outboundAllow, surfaces, log }: DelivererOptions) {
    this.#jobs = jobs;
    this.#database = database;
    this.#surfaces = surfaces;
    this.#log = log;
    this.#sender = new Sender(outboundAllow);
    this.#loop = new Loop({
      name: 'looking for webhooks to send',
      work: () => this.#look(),
      pollMilliseconds: lookMilliseconds,
      log,
    });
  }

  start(): void {
    this.#jobs.onDeliveryNoted(() => this.wake());
    this.#loop.start();
    this.wake();
  }

  /** Looks for tries that are due. Never throws. */
  wake(): void {
    this.#loop.wake();
  }

  /** Tries under way in this process. */
  get size(): number {
    return this.#underWay.size;
  }

  /** Lets tries that are under way end, for 5 seconds at most; the others go back as if they had not begun. */
  stop(): Promise<void> {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  async #stop(): Promise<void> {
    this.#jobs.onDeliveryNoted(null);
    await this.#loop.stop();
    const abort = setTimeout(() => this.#stopping.abort(), stopMilliseconds);
    await Promise.all(this.#underWay.values());
    clearTimeout(abort);
    if (this.#gathering !== null) clearTimeout(this.#gathering);
    await this.#sender.close();
  }

  async #look(): Promise<'more' | void> {
    const { ready, givenUp } = await makeDueReady(this.#database);
    for (const deliveryId of givenUp) this.#tellGivenUp(deliveryId);
    const limit = Math.min(mostAtOnce - this.#underWay.size, batch);
    if (!ready || limit === 0) return;
    const { tries, next, more } = await takeReady(this.#database, {
      limit,
      from: this.#from,
      own: [...this.#underWay.keys()],
    });
    this.#from = next;
    for (const one of tries) this.#begin(one);
    if (more) return 'more';
  }

  #begin(one: Try): void {
    const work = this.#try(one)
      .catch((error: unknown) => {
        // Its lease ends after a while, and it is taken again.
        this.#log.warn({ err: error, deliveryId: one.deliveryId }, 'a try of a webhook could not be recorded');
      })
      .finally(() => {
        this.#underWay.delete(one);
        this.#gathering ??= setTimeout(() => this.#lookForMore(), gatherMilliseconds);
      });
    this.#underWay.set(one, work);
  }

  #lookForMore(): void {
    this.#gathering = null;
    this.wake();
  }

  async #try(one: Try): Promise<void> {
    const outcome = await this.#send(one);
    if (outcome === null) return insisting(() => putBack(this.#database, one));
    const givenUp = await insisting(() => noteOutcome(this.#database, one, outcome));
    if (givenUp) this.#tellGivenUp(one.deliveryId);
  }

  /** Null where it was cut off because this process stops. */
  async #send(one: Try): Promise<Outcome | null> {
    const { deliveryId, job, secrets, number, url } = one;
    const [secret] = secrets;
    const surface = this.#surfaces[job.dialect];
    const body = JSON.stringify(surface.payload(one));
    const at = new Date();
    const headers = {
      ...standardHeaders(deliveryId, body, { secrets, at }),
      ...surface.headers?.(one, { body, at, secret, number }),
    };
    const { signal } = this.#stopping;
    try {
      return await this.#sender.send({ url, headers, body }, signal);
    } catch (error) {
      if (signal.aborted) return null;
      throw error;
    }
  }

  #tellGivenUp(deliveryId: string): void {
    this.#log.warn({ deliveryId }, 'a webhook was given up; redeliverWebhook tries anew');
  }
}

/** Postgres may have dropped just this connection, and what is not recorded would be sent again a minute later. */
async function insisting<T>(record: () => Promise<T>): Promise<T> {
  for (let left = recordings - 1; ; left -= 1) {
    try {
      return await record();
    } catch (error) {
      if (left === 0) throw error;
      await delay(recordingMilliseconds);
    }
  }
}
