import { setTimeout as delay } from 'node:timers/promises';
import type { PgBoss } from 'pg-boss';
import type { ArtifactLinks } from '../files/links.ts';
import { startBoss, stopBoss } from '../background/boss.ts';
import type { Config } from '../server/configuration.ts';
import type { JobsContext } from '../jobs/model/context.ts';
import type { Log } from '../log.ts';
import { webhookBody } from './payload.ts';
import { type TakenSeries, WebhookQueue } from './queue.ts';
import { Sender } from './sender.ts';
import { signatureHeaders } from './signature.ts';
import { findPending, loadTry, noteGivenUp, noteOutcome, relayNoted } from './tries.ts';

/** How long a retry that is due, or what a process that died had noted, waits at most to be seen. */
const lookMilliseconds = 1_000;

/** Tries that this process has under way at once. */
const mostAtOnce = 100;

/** Of them, those of one workspace: others find room, however many receivers of one tenant do not answer. */
const mostOfWorkspace = 40;

/** Of these, those at one host: an endpoint that hangs leaves room to its neighbours, and a host to other hosts. */
const mostOfHost = 20;

/** Series that one statement takes. */
const batch = 20;

/** How often, and how far apart in milliseconds, it is tried to record what became of a try. */
const recordings = 5;
const recordingMilliseconds = 300;

/** What is under way when the process stops has so long to end by itself. */
const stopMilliseconds = 5_000;

export interface DelivererOptions {
  context: JobsContext;
  config: Pick<Config, 'databaseUrl' | 'outboundAllow'>;
  links: ArtifactLinks;
  log: Log;
}

/**
 * Sends what the transitions noted. Every process does, whatever its ROLE; the queue sees to it that each try is made by
 * one of them. What a receiver does, or does not, changes the delivery's own row and nothing else.
 *
 * At least once: a process that dies between the answer and its note leaves a delivery that is sent again, under the same
 * `webhook-id`.
 *
 * The queue is started with the first delivery that waits for a try. An installation without webhooks pays one statement
 * a second, and no start of pg-boss.
 */
export class Deliverer {
  readonly #context: JobsContext;
  readonly #config: DelivererOptions['config'];
  readonly #links: ArtifactLinks;
  readonly #log: Log;
  readonly #sender: Sender;
  readonly #stopping = new AbortController();
  readonly #underWay = new Map<TakenSeries, Promise<void>>();
  #timer: NodeJS.Timeout | null = null;
  #boss: PgBoss | null = null;
  #queue: WebhookQueue | null = null;
  #looking: Promise<void> | null = null;
  #lookAgain = false;
  #stopped: Promise<void> | null = null;

  constructor({ context, config, links, log }: DelivererOptions) {
    this.#context = context;
    this.#config = config;
    this.#links = links;
    this.#log = log;
    this.#sender = new Sender(config.outboundAllow);
  }

  start(): void {
    this.#timer = setInterval(() => this.wake(), lookMilliseconds);
    this.#context.announcer.onDeliveryNoted(() => this.wake());
    this.wake();
  }

  /** Looks for tries that are due, now or right after the look that is under way. Never throws. */
  wake(): void {
    if (this.#stopped !== null) return;
    this.#lookAgain = true;
    this.#looking ??= this.#look();
  }

  /** Lets tries that are under way end, for 5 seconds at most; the others go back as if they had not begun. */
  stop(): Promise<void> {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  async #stop(): Promise<void> {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#context.announcer.onDeliveryNoted(null);
    await this.#looking;
    const abort = setTimeout(() => this.#stopping.abort(), stopMilliseconds);
    await Promise.all(this.#underWay.values());
    clearTimeout(abort);
    await this.#sender.close();
    if (this.#boss !== null) await stopBoss(this.#boss);
  }

  async #look(): Promise<void> {
    // Whoever wakes many times in one tick is answered with one look.
    await new Promise(setImmediate);
    while (this.#lookAgain && this.#stopped === null) {
      this.#lookAgain = false;
      try {
        await this.#deliverDue();
      } catch (error) {
        this.#log.warn({ err: error }, 'webhooks cannot be looked after at the moment; trying again');
      }
    }
    // In the same turn as the last question: a wake in between would be lost.
    this.#looking = null;
  }

  async #deliverDue(): Promise<void> {
    const { database } = this.#context;
    const { pending, fresh } = await findPending(database);
    if (!pending) return;
    const queue = await this.#openQueue();
    if (fresh) await relayNoted(database, queue);
    for (;;) {
      const room = Math.min(mostAtOnce - this.#underWay.size, batch);
      const taken = room > 0 && this.#stopped === null ? await queue.take(room) : [];
      if (taken.length === 0) break;
      const over = taken.filter((series) => !this.#begin(queue, series));
      if (over.length > 0) await queue.putBack(over);
    }
    await this.#giveUp(queue);
  }

  async #openQueue(): Promise<WebhookQueue> {
    const { database } = this.#context;
    this.#boss ??= await startBoss({ database, databaseUrl: this.#config.databaseUrl, log: this.#log });
    this.#queue ??= await WebhookQueue.on(this.#boss);
    return this.#queue;
  }

  /** False where the workspace has as many under way as it may, in all or at this host. */
  #begin(queue: WebhookQueue, series: TakenSeries): boolean {
    const ofWorkspace = [...this.#underWay.keys()].filter(({ workspaceId }) => workspaceId === series.workspaceId);
    const ofHost = ofWorkspace.filter(({ host }) => host === series.host);
    if (ofWorkspace.length >= mostOfWorkspace || ofHost.length >= mostOfHost) return false;
    const work = this.#try(queue, series)
      .catch((error: unknown) => {
        // The queue takes it for dead after a while and gives it out again.
        this.#log.warn({ err: error, deliveryId: series.deliveryId }, 'a try of a webhook could not be recorded');
      })
      .finally(() => {
        this.#underWay.delete(series);
        this.wake();
      });
    this.#underWay.set(series, work);
    return true;
  }

  async #try(queue: WebhookQueue, series: TakenSeries): Promise<void> {
    const { database } = this.#context;
    const one = await loadTry(database, series);
    if (one === null) return queue.settle(series);
    const body = webhookBody(one, this.#links);
    const headers = signatureHeaders(one, body, new Date());
    const { signal } = this.#stopping;
    const outcome = await this.#sender.send({ url: one.url, headers, body }, signal).catch((error: unknown) => {
      if (signal.aborted) return null;
      throw error;
    });
    if (outcome === null) return queue.putBack([series]);
    // The log first: what it says is in force, and a second try would find it delivered.
    await insisting(() => noteOutcome(database, series, outcome));
    await insisting(() => (outcome.problem === null ? queue.settle(series) : queue.failed(series)));
  }

  async #giveUp(queue: WebhookQueue): Promise<void> {
    const lost = await queue.takeGivenUp(batch);
    if (lost.length === 0) return;
    await noteGivenUp(this.#context.database, lost);
    await queue.settleGivenUp(lost);
    for (const { deliveryId, workspaceId } of lost) {
      this.#log.warn({ deliveryId, workspaceId }, 'a webhook was given up; redeliverWebhook tries anew');
    }
  }
}

/** Postgres may have dropped just this connection. What is not recorded would be sent again, and a minute later only. */
async function insisting(record: () => Promise<void>): Promise<void> {
  for (let left = recordings - 1; ; left -= 1) {
    try {
      return await record();
    } catch (error) {
      if (left === 0) throw error;
      await delay(recordingMilliseconds);
    }
  }
}
