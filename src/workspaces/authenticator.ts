import { timingSafeEqual } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { Bus, Unsubscribe } from '../bus/bus.ts';
import { Loop } from '../concurrency/loop.ts';
import type { Log } from '../log.ts';
import { columnsOf, type Row } from '../database/columns.ts';
import type { Database } from '../database/database.ts';
import { type ApiKey, hashSecret } from './api-key.ts';
import { ApiKeyEntity } from './entities.ts';
import { KeyUses } from './key-uses.ts';

/** Bus topic for revoked keys. A message is the key's id. */
const revokedTopic = 'keys';

/** How long a cached key is trusted, in case the message of a revocation was lost. */
const cacheMilliseconds = 2_000;

const columns = columnsOf(ApiKeyEntity, {});

type Known = ApiKey & { hash: string };

/** How often the keys in use are written. */
const usesMilliseconds = 60_000;

/** Finds the key for a secret. Results are cached, but a revocation takes effect at once on every process. */
export class Authenticator {
  readonly #database: Database;
  readonly #bus: Bus;
  readonly #known = new LRUCache<string, Promise<Known | null>>({ max: 10_000, ttl: cacheMilliseconds });
  readonly #uses = new KeyUses();
  readonly loop: Loop;
  #unsubscribe: Unsubscribe[] = [];

  constructor(database: Database, bus: Bus, log: Log) {
    this.#database = database;
    this.#bus = bus;
    this.loop = new Loop({
      name: 'noting which keys are in use',
      work: () => this.#uses.write(database.hot),
      pollMilliseconds: usesMilliseconds,
      log,
    });
  }

  async start(): Promise<void> {
    this.loop.start();
    this.#unsubscribe = [
      await this.#bus.subscribe(revokedTopic, () => this.#known.clear()),
      this.#bus.onReconnect(() => this.#known.clear()),
    ];
  }

  /** Writes which keys were in use. May be called twice. */
  async stop(): Promise<void> {
    for (const unsubscribe of this.#unsubscribe) unsubscribe();
    await this.loop.settle();
    await this.loop.stop();
  }

  /** Notes that a request with this key was accepted. */
  noteUse(apiKeyId: string): void {
    this.#uses.note(apiKeyId);
  }

  /** Returns null if no key has this secret. Also returns revoked keys, so that their owner can be told. */
  async find(secret: string): Promise<ApiKey | null> {
    const hash = hashSecret(secret);
    const key = await this.#cached(hash, 'hash');
    return key !== null && timingSafeEqual(Buffer.from(key.hash), Buffer.from(hash)) ? key : null;
  }

  /** Returns the key that a token was made with, even if it is revoked. Null if it no longer exists. */
  findById(apiKeyId: string): Promise<ApiKey | null> {
    return this.#cached(apiKeyId, 'id');
  }

  /** Makes every process read the key again. */
  forget(apiKeyId: string): void {
    this.#known.clear();
    this.#bus.publish(revokedTopic, apiKeyId);
  }

  #cached(value: string, column: 'hash' | 'id'): Promise<Known | null> {
    const cached = this.#known.get(value);
    if (cached !== undefined) return cached;
    const known = this.#look(value, column);
    this.#known.set(value, known);
    known.catch(() => this.#known.delete(value));
    return known;
  }

  async #look(value: string, column: 'hash' | 'id'): Promise<Known | null> {
    const [row] = await this.#database.hot.query<Row<typeof ApiKeyEntity> & { hash: string }>(
      `SELECT ${columns.select('api_key')}, api_key.hash FROM api_key WHERE api_key.${column} = $1`,
      [value],
    );
    return row === undefined ? null : { ...columns.read(row), hash: row.hash };
  }
}
