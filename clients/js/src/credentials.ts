import { ConnectionError } from './errors.ts';

/**
 * A key or an access token, or what gives one: asked at first, and again when a token has ended, never twice at the same time. What it throws is
 * the caller's, but for a TypeError, fetch's word for a network that is away: that is tried again.
 */
export type Auth = string | (() => string | Promise<string>);

/** The token in use. */
export class Credentials {
  readonly #auth: Auth | null;
  #asked: Promise<string | null> | null = null;
  #current: string | null = null;

  constructor(auth: Auth | null) {
    this.#auth = auth;
  }

  /** Whether another token can be had. */
  get canRefresh(): boolean {
    return typeof this.#auth === 'function';
  }

  /** Null where there are none. Rejects with what `auth` throws. */
  token(): Promise<string | null> {
    this.#asked ??= this.#ask();
    return this.#asked;
  }

  /** The server said that the time of this token is over. Of those that hear it, the first makes the next one be asked for. */
  expired(token: string | null): void {
    if (token === null || token !== this.#current) return;
    this.#current = null;
    this.#asked = null;
  }

  async #ask(): Promise<string | null> {
    try {
      const token = typeof this.#auth === 'function' ? await this.#auth() : this.#auth;
      this.#current = token;
      return token;
    } catch (error) {
      this.#asked = null;
      throw error instanceof TypeError ? new ConnectionError(`auth failed: ${error.message}`, { cause: error }) : error;
    }
  }
}
