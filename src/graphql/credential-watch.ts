import { LonghaulError } from '../errors.ts';
import { type AuthenticationServices, authenticate, ExpiredTokenError } from '../workspaces/authenticate.ts';

/** How often the credentials of what stays open are looked at again, in milliseconds. */
const checkMilliseconds = 1_000;

/** Why something that was let in must be closed. */
export type Lapse = 'expired' | 'revoked';

/**
 * Looks at the credentials of sockets and streams again, once a second: a key that was revoked and a token that has
 * expired end what they opened. It asks the authenticator, whose answers are believed for two seconds at most, so that it
 * holds on every process, also while the bus is away.
 */
export class CredentialWatch {
  readonly #services: AuthenticationServices;
  readonly #open = new Map<object, { secret: string; close: (lapse: Lapse) => void }>();
  readonly #timer: NodeJS.Timeout;

  constructor(services: AuthenticationServices) {
    this.#services = services;
    this.#timer = setInterval(() => void this.#check(), checkMilliseconds);
  }

  /** Calls `close` once when the secret does not open anything any more. */
  add(opened: object, secret: string, close: (lapse: Lapse) => void): void {
    this.#open.set(opened, { secret, close });
  }

  remove(opened: object): void {
    this.#open.delete(opened);
  }

  /** May be called twice. */
  stop(): void {
    clearInterval(this.#timer);
    this.#open.clear();
  }

  async #check(): Promise<void> {
    const lapses = new Map<string, Promise<Lapse | null>>();
    for (const [opened, { secret, close }] of this.#open) {
      const lapse = lapses.get(secret) ?? lapseOf(this.#services, secret);
      lapses.set(secret, lapse);
      const found = await lapse;
      if (found === null || !this.#open.delete(opened)) continue;
      close(found);
    }
  }
}

/** Null while the secret is good, and while nobody can tell. */
async function lapseOf(services: AuthenticationServices, secret: string): Promise<Lapse | null> {
  try {
    await authenticate(services, secret, 'NATIVE');
    return null;
  } catch (error) {
    if (error instanceof ExpiredTokenError) return 'expired';
    return error instanceof LonghaulError && error.code === 'UNAUTHENTICATED' ? 'revoked' : null;
  }
}
