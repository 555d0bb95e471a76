import type { Database } from '../database/database.ts';
import type { Log } from '../log.ts';
import { keysInForce } from '../workspaces/keys-in-force.ts';
import type { Viewer } from '../workspaces/viewer.ts';

/** How often the credentials of what stays open are looked at again, in milliseconds. */
const checkMilliseconds = 1_000;

/** Why something that was let in must be closed. */
export type Lapse = 'expired' | 'revoked';

interface Opened {
  viewer: Viewer;
  close: (lapse: Lapse) => void;
}

/**
 * Looks at the credentials of sockets and streams again, once a second: a key that was revoked and a token that has
 * expired end what they opened (PROTOCOL.md, A1). One statement for all keys, and past the authenticator, whose answers
 * may be two seconds old: so it holds on every process, also while the bus is away.
 */
export class CredentialWatch {
  readonly #database: Database;
  readonly #log: Log;
  readonly #open = new Map<object, Opened>();
  readonly #timer: NodeJS.Timeout;
  #asking = false;

  constructor(database: Database, log: Log) {
    this.#database = database;
    this.#log = log;
    this.#timer = setInterval(() => void this.#check(), checkMilliseconds);
  }

  /** How many are looked at, for the metrics and for tests that nothing is left behind. */
  get size(): number {
    return this.#open.size;
  }

  /** Calls `close` once when the viewer's credentials do not open anything any more. */
  add(opened: object, viewer: Viewer, close: (lapse: Lapse) => void): void {
    this.#open.set(opened, { viewer, close });
  }

  remove(opened: object): void {
    this.#open.delete(opened);
  }

  /** May be called twice. */
  stop(): void {
    clearInterval(this.#timer);
    this.#open.clear();
  }

  /** Never rejects. */
  async #check(): Promise<void> {
    const now = Date.now();
    for (const [opened, { viewer }] of this.#open) {
      if (viewer.expiresAt !== null && viewer.expiresAt.getTime() <= now) this.#lapse(opened, 'expired');
    }
    // A database that does not answer is not asked twice; tokens expire all the same.
    if (this.#open.size === 0 || this.#asking) return;
    this.#asking = true;
    try {
      const asked = [...this.#open];
      const inForce = await keysInForce(this.#database.hot, new Set(asked.map(([, { viewer }]) => viewer.apiKeyId)));
      for (const [opened, { viewer }] of asked) if (!inForce.has(viewer.apiKeyId)) this.#lapse(opened, 'revoked');
    } catch (error) {
      this.#log.warn({ err: error }, 'the keys of what is open could not be looked at; they are in a second');
    } finally {
      this.#asking = false;
    }
  }

  #lapse(opened: object, lapse: Lapse): void {
    const found = this.#open.get(opened);
    if (found === undefined) return;
    this.#open.delete(opened);
    found.close(lapse);
  }
}
