import { timingSafeEqual } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { Bus, Unsubscribe } from '../bus/bus.ts';
import type { Database } from '../database/database.ts';
import { type ApiKey, apiKeyColumns, apiKeyFromRow, type ApiKeyRow, hashSecret } from './api-key.ts';

/** Bus topic of revoked keys; a message is the key's id. */
const revokedTopic = 'keys';

/** A cached answer is believed for so long, in case the word of a revocation was lost. */
const believedMilliseconds = 2_000;

type Known = ApiKey & { hash: string };

/** Finds the key that a secret belongs to. Answers are cached; a revocation takes effect at once on every process. */
export class Authenticator {
  readonly #database: Database;
  readonly #bus: Bus;
  readonly #known = new LRUCache<string, Promise<Known | null>>({ max: 10_000, ttl: believedMilliseconds });
  #unsubscribe: Unsubscribe[] = [];

  constructor(database: Database, bus: Bus) {
    this.#database = database;
    this.#bus = bus;
  }

  async start(): Promise<void> {
    this.#unsubscribe = [
      await this.#bus.subscribe(revokedTopic, () => this.#known.clear()),
      this.#bus.onReconnect(() => this.#known.clear()),
    ];
  }

  stop(): void {
    for (const unsubscribe of this.#unsubscribe) unsubscribe();
  }

  /** The key, revoked ones included (their owner is told so); null for a secret that is no key's. */
  async find(secret: string): Promise<ApiKey | null> {
    const hash = hashSecret(secret);
    const key = await this.#cached(hash, 'hash');
    return key !== null && timingSafeEqual(Buffer.from(key.hash), Buffer.from(hash)) ? key : null;
  }

  /** The key that a token was made with, revoked ones included; null where there is none any more. */
  findById(apiKeyId: string): Promise<ApiKey | null> {
    return this.#cached(apiKeyId, 'id');
  }

  /** Lets every process look at the key anew. */
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
    const [row] = await this.#database.hot.query<ApiKeyRow & { hash: string }>(
      `SELECT ${apiKeyColumns}, api_key.hash FROM api_key WHERE api_key.${column} = $1`,
      [value],
    );
    return row === undefined ? null : { ...apiKeyFromRow(row), hash: row.hash };
  }
}
