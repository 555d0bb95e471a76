import { setTimeout as delay } from 'node:timers/promises';
import { Loop } from '../concurrency/loop.ts';
import type { OutboundAllow } from '../outbound/addresses.ts';
import type { DatabaseClock } from '../database/clock.ts';
import type { Database } from '../database/database.ts';
import type { Jobs } from '../jobs/jobs.ts';
import type { Log } from '../log.ts';
import type { WebhookSecrets } from '../workspaces/webhook-secrets.ts';
import { makeDueReady } from './due.ts';
import { noteOutcome, putBack } from './outcome.ts';
import { type Outcome, Sender } from './sender.ts';
import { standardHeaders } from './signature.ts';
import type { DeliveryObserver } from './observer.ts';
import type { WebhookSurfaces } from './surface.ts';
import { beginning, takeReady, type Try } from './take.ts';

/**
 * The poll interval: the longest that a due retry, or a delivery recorded by a process that died, waits to be found.
 */
const lookMilliseconds = 1_000;

/** The most tries in flight in this process. */
const mostAtOnce = 100;

/** The most tries that one statement takes. */
const batch = 20;

/** Tries that end within this time share one look: under load, one look per try would be most of the work. */
const gatherMilliseconds = 20;

/** How many times the outcome of a try is written before giving up, and the pause between attempts. */
const recordings = 5;
const recordingMilliseconds = 300;

/** How long tries in flight may take to finish when the process stops. */
const stopMilliseconds = 5_000;

interface DelivererOptions {
  jobs: Jobs;
  database: Database;
  clock: Pick<DatabaseClock, 'now'>;
  outboundAllow: OutboundAllow;
  surfaces: WebhookSurfaces;
  webhookSecrets: WebhookSecrets;
  observer: DeliveryObserver;
  log: Log;
}

/**
 * Sends the webhook deliveries that job transitions record. Every process runs one, whatever its ROLE, and exactly one
 * process makes each try: the delivery's row is its queue entry. A receiver's response changes that row and nothing
 * else.
 *
 * Delivery is at least once: if a process dies after the response but before recording it, the delivery is sent again
 * with the same `webhook-id`.
 */
export class Deliverer {
  readonly #jobs: Jobs;
  readonly #database: Database;
  readonly #clock: Pick<DatabaseClock, 'now'>;
  readonly #surfaces: WebhookSurfaces;
  readonly #webhookSecrets: WebhookSecrets;
  readonly #observer: DeliveryObserver;
  readonly #log: Log;
  readonly #sender: Sender;
  readonly #loop: Loop;
  readonly #stopping = new AbortController();
  readonly #underWay = new Map<Try, Promise<void>>();
  #from = beginning;
  #gathering: NodeJS.Timeout | null = null;
  #stopped: Promise<void> | null = null;

  constructor({ jobs, database, clock, outboundAllow, surfaces, webhookSecrets, observer, log }: DelivererOptions) {
    this.#jobs = jobs;
    this.#database = database;
    this.#clock = clock;
    this.#surfaces = surfaces;
    this.#webhookSecrets = webhookSecrets;
    this.#observer = observer;
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

  get loops(): readonly Loop[] {
    return [this.#loop];
  }

  /** How many tries are in flight in this process. */
  get size(): number {
    return this.#underWay.size;
  }

  /**
   * Waits up to 5 seconds for tries in flight. Tries that are cut off go back to the queue as if they had not begun.
   */
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
        // Its lease expires, and a process takes it again.
        this.#log.warn({ err: error, deliveryId: one.deliveryId }, 'could not record the outcome of a webhook try');
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
    if (outcome === null) return withRetries(() => putBack(this.#database, one));
    const givenUp = await withRetries(() => noteOutcome(this.#database, one, outcome));
    this.#observer.tried(givenUp ? 'given_up' : outcome.problem === null ? 'delivered' : 'retried');
    if (givenUp) this.#tellGivenUp(one.deliveryId);
  }

  /** Returns null if the try was cut off because this process is stopping. */
  async #send(one: Try): Promise<Outcome | null> {
    const { deliveryId, job, number, url } = one;
    const [secret, ...retired] = one.secrets.map((stored) => this.#webhookSecrets.open(stored, one.workspaceId));
    if (secret == null) return { status: null, problem: unsignable, retryAfter: null };
    const secrets = [secret, ...retired.filter((each) => each !== null)];
    const surface = this.#surfaces[job.dialect];
    const message = { ...one, job: this.#jobs.types.shown(job) };
    const body = JSON.stringify(surface.payload(message));
    // Receivers refuse what is five minutes off.
    const at = this.#clock.now();
    const headers = {
      ...standardHeaders(deliveryId, body, { secrets, at }),
      ...surface.headers?.(message, { body, at, secret, number }),
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
    this.#log.warn({ deliveryId }, 'gave up on a webhook delivery; use redeliverWebhook to send it again');
  }
}

const unsignable = 'The webhook secret was encrypted with another SECRET, so nothing can be signed. Rotate it with rotateWebhookSecret.';

/** Retries, because Postgres may have dropped just this connection. An unrecorded try is sent again a minute later. */
async function withRetries<T>(record: () => Promise<T>): Promise<T> {
  for (let left = recordings - 1; ; left -= 1) {
    try {
      return await record();
    } catch (error) {
      if (left === 0) throw error;
      await delay(recordingMilliseconds);
    }
  }
}
