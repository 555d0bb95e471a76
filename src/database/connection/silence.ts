import type pg from 'pg';

const lookMilliseconds = 500;

/** How long a connection may still be in use that is older than the last sign of silence. */
const suspectMilliseconds = 1_000;

/**
 * Closes connections that went silent: a failover, a NAT or a frozen pooler may drop what is sent on connections that are
 * open, while new ones pass. Nothing tells the client, and Postgres' own time limits end nothing here.
 *
 * Whoever has a connection for longer than its statements may take gets an error. The other connections of that age are
 * suspected: those in use get a second, and the idle ones are closed, or each of them would cost its user the whole limit.
 */
export class SilenceWatch {
  readonly #pool: pg.Pool;
  readonly #inUse = new Map<pg.PoolClient, { since: number }>();
  readonly #madeAt = new WeakMap<pg.PoolClient, number>();
  readonly #timer: NodeJS.Timeout;
  #silentAt = -Infinity;

  /** @param milliseconds the most that a connection may be in use; longer than its statements' own limit */
  constructor(pool: pg.Pool, milliseconds: number) {
    this.#pool = pool;
    pool.on('connect', (client) => this.#madeAt.set(client, performance.now()));
    pool.on('acquire', (client) => this.#inUse.set(client, { since: performance.now() }));
    pool.on('release', (_error, client) => this.#inUse.delete(client));
    pool.on('remove', (client) => this.#inUse.delete(client));
    this.#timer = setInterval(() => this.#look(milliseconds), lookMilliseconds).unref();
  }

  /** Cuts the connections that are still in use: nobody else would tell those who wait for an answer. May be called twice. */
  stop(): void {
    clearInterval(this.#timer);
    for (const client of this.#inUse.keys()) client.end().catch(() => undefined);
    this.#inUse.clear();
  }

  #look(milliseconds: number): void {
    const now = performance.now();
    for (const [client, { since }] of this.#inUse) {
      const isSuspect = (this.#madeAt.get(client) ?? now) < this.#silentAt;
      if (now - since < (isSuspect ? suspectMilliseconds : milliseconds)) continue;
      this.#inUse.delete(client);
      // Cuts the connection where a statement is under way, and its user gets an error.
      client.end().catch(() => undefined);
      if (isSuspect) continue;
      this.#silentAt = now;
      this.#closeIdle();
    }
  }

  #closeIdle(): void {
    for (let left = this.#pool.idleCount; left > 0; left -= 1) {
      this.#pool.connect().then(
        (client) => client.release(true),
        () => undefined,
      );
    }
  }
}
