import type { DatabaseClock } from '../database/clock.ts';
import type { Database } from '../database/database.ts';
import type { Log } from '../log.ts';
import { type Lapse, UnauthenticatedError } from '../workspaces/authenticate.ts';
import { keysInForce } from '../workspaces/keys-in-force.ts';
import type { Viewer } from '../workspaces/viewer.ts';

/** How often the credentials of open sockets, streams and waiting claims are checked again. */
const checkMilliseconds = 1_000;

interface Opened {
  viewer: Viewer;
  close: (lapse: Lapse) => void;
}

/**
 * Checks the credentials of open sockets and streams, and of claims that wait, once a second, and ends those whose key was
 * revoked or whose token expired (PROTOCOL.md, A1). It reads all keys in one statement and bypasses the authenticator, whose
 * cached answers may be two seconds old. So revocation reaches every process, even while the bus is down.
 */
export class CredentialWatch {
  readonly #database: Database;
  readonly #clock: Pick<DatabaseClock, 'now'>;
  readonly #log: Log;
  readonly #open = new Map<object, Opened>();
  readonly #timer: NodeJS.Timeout;
  #asking = false;

  constructor({ database, clock }: { database: Database; clock: Pick<DatabaseClock, 'now'> }, log: Log) {
    this.#database = database;
    this.#clock = clock;
    this.#log = log;
    this.#timer = setInterval(() => void this.#check(), checkMilliseconds);
  }

  /** How many sockets, streams and claims are watched: for the metrics, and for tests that check for leaks. */
  get size(): number {
    return this.#open.size;
  }

  /** Calls `close` once when the viewer's credentials are no longer valid. */
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
    const now = this.#clock.now().getTime();
    for (const [opened, { viewer }] of this.#open) {
      if (viewer.expiresAt !== null && viewer.expiresAt.getTime() <= now) this.#lapse(opened, 'expired');
    }
    // While a query is still waiting for the database, do not send another. Tokens expire regardless.
    if (this.#open.size === 0 || this.#asking) return;
    this.#asking = true;
    try {
      const asked = [...this.#open];
      const inForce = await keysInForce(this.#database.hot, new Set(asked.map(([, { viewer }]) => viewer.apiKeyId)));
      for (const [opened, { viewer }] of asked) if (!inForce.has(viewer.apiKeyId)) this.#lapse(opened, 'revoked');
    } catch (error) {
      this.#log.warn({ err: error }, 'could not check the keys of open sockets, streams and claims; trying again in a second');
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

/** Refuses to go on with an operation whose credentials have lapsed since it began. @throws UnauthenticatedError */
export function refuseLapsed(signal: AbortSignal | null): void {
  if (signal?.aborted === true && signal.reason instanceof UnauthenticatedError) throw signal.reason;
}
