import type { JobInsert, PgBoss } from 'pg-boss';
import { newId } from '../database/ids.ts';

/** One series of tries of one delivery, as it stands in the queue. */
export interface QueuedSeries {
  workspaceId: string;
  deliveryId: string;
  seriesId: string;
  /** Whom it goes to: host and port. */
  host: string;
  /** Where it goes there: names the URL without its query, and does not show it. */
  endpoint: string;
  /** Tries of this series before it was put back, which the queue does not remember. */
  tried: number;
}

/** A series that this process has taken; the queue gives it to nobody else until it is settled or its time is over. */
export interface TakenSeries extends QueuedSeries {
  /** What fences the settling: the entry in the queue and how often it was taken. */
  entry: { id: string; retryCount: number };
}

const queue = 'webhook';

/** Where the queue leaves series whose every try failed, and those whose last try died with its process. */
const givenUpQueue = 'webhook-given-up';

/**
 * Retries after the first try. With the delays below, the nth of them waits between 5 × 2^(n-1) and 5 × 2^n seconds, at
 * most 4 hours:
 *
 *     1     2      3      4      5       6       7       8        9        10       11      12      13 to 16
 *     5 s   10 s   20 s   40 s   80 s   160 s   320 s   11 min   21 min   43 min   85 min   2.8 h   4 h each
 *
 * to twice that, by chance, so that receivers which come back are not met by everybody at once. The last try is 22 to 26
 * hours after the first.
 */
const retries = 16;
const firstDelaySeconds = 5;
const longestDelaySeconds = 4 * 60 * 60;

/** A try takes 10 seconds. What is not settled by then was taken by a process that is gone. */
const expireSeconds = 60;

/** How long the queue keeps what is done; the delivery log is ours and stays. */
const keepDoneSeconds = 60 * 60;

/** Tries at one endpoint of one workspace that may be under way at once, over all processes. */
const perEndpoint = 10;

/** Retries let first tries go ahead: what has failed already holds up nothing that has not been tried. */
const priorityOf = { firstTry: 0, retry: -1 } as const;

/** A series that found its workspace's share taken is looked at again after so long. */
const putBackSeconds = 5;

/** pg-boss as the sender of webhooks sees it. */
export class WebhookQueue {
  readonly #boss: PgBoss;

  private constructor(boss: PgBoss) {
    this.#boss = boss;
  }

  /** Makes what is missing. */
  static async on(boss: PgBoss): Promise<WebhookQueue> {
    await boss.createQueue(givenUpQueue, { retryLimit: 1_000, retryDelay: 60 });
    await boss.createQueue(queue);
    return new WebhookQueue(boss);
  }

  /** Takes the series up. One that is there already stays as it is, so that saying it twice does no harm. */
  async add(series: readonly QueuedSeries[]): Promise<void> {
    await this.#boss.insert(
      queue,
      series.map((one) => ({ ...entryFor(one), id: one.seriesId })),
    );
  }

  /**
   * Takes up to `limit` series whose next try is due, of endpoints that are not busy. Fewer than there are where many
   * go to one endpoint; none only where there are none.
   */
  async take(limit: number): Promise<TakenSeries[]> {
    const taken = await this.#boss.fetch<QueuedSeries>(queue, { batchSize: limit, groupConcurrency: perEndpoint });
    return taken.map(toTaken);
  }

  /** The series is over: delivered, or no longer in force. */
  async settle({ entry }: TakenSeries): Promise<void> {
    await this.#boss.complete(queue, [entry]);
  }

  /** The try failed: the next one follows after a pause, or the series is given up. */
  async failed({ entry, tried }: TakenSeries): Promise<void> {
    await this.#boss.fail(queue, [entry]);
    // Of the first try only. Nobody takes it in between, for its pause lasts seconds; a crash leaves it ahead in line.
    if (tried + entry.retryCount > 0) return;
    await this.#boss.update(queue, undefined, { id: entry.id, priority: priorityOf.retry });
  }

  /** No try was made: they become due again as if they had not been taken, with as many tries left. */
  async putBack(series: readonly TakenSeries[]): Promise<void> {
    // pg-boss itself would count it as a try. Added before it is settled: doubled by a crash, and never lost.
    await this.#boss.insert(
      queue,
      series.map(({ entry, ...one }) => ({
        ...entryFor({ ...one, tried: one.tried + entry.retryCount }),
        id: newId(),
        startAfter: putBackSeconds,
      })),
    );
    await this.#boss.complete(
      queue,
      series.map(({ entry }) => entry),
    );
  }

  /** Takes up to `limit` series that were given up. */
  async takeGivenUp(limit: number): Promise<TakenSeries[]> {
    return (await this.#boss.fetch<QueuedSeries>(givenUpQueue, { batchSize: limit })).map(toTaken);
  }

  async settleGivenUp(series: readonly TakenSeries[]): Promise<void> {
    await this.#boss.complete(
      givenUpQueue,
      series.map(({ entry }) => entry),
    );
  }
}

function entryFor(series: QueuedSeries): JobInsert<QueuedSeries> {
  const { workspaceId, endpoint, tried } = series;
  return {
    data: series,
    priority: tried === 0 ? priorityOf.firstTry : priorityOf.retry,
    group: { id: `${workspaceId} ${endpoint}` },
    retryLimit: retries - tried,
    retryBackoff: true,
    retryDelay: Math.min(firstDelaySeconds * 2 ** tried, longestDelaySeconds),
    retryDelayMax: longestDelaySeconds,
    expireInSeconds: expireSeconds,
    deleteAfterSeconds: keepDoneSeconds,
    deadLetter: givenUpQueue,
  };
}

function toTaken({ id, retryCount, data }: { id: string; retryCount: number; data: QueuedSeries }): TakenSeries {
  return { ...data, entry: { id, retryCount } };
}
