import { Worker } from 'node:worker_threads';
import type { Client } from '../client.ts';
import type { LostMessage, ThreadMessage } from './heartbeat-thread.ts';

/** Keeps leases by a thread of its own, so that code which blocks this one loses none. */
export class Heartbeat {
  readonly #client: Client;
  readonly #blockedAtMost: number;
  readonly #leases = new Map<string, number>();
  readonly #thread: Worker;
  readonly #timer: NodeJS.Timeout;

  /**
   * @param blockedSeconds for so long this thread may be blocked
   * @param onLost told of a lease that is over, where its heartbeat was the first to hear
   */
  constructor(client: Client, blockedSeconds: number, onLost: (token: string) => void) {
    this.#client = client;
    this.#blockedAtMost = blockedSeconds * 1_000;
    // From its source in this repository's tests.
    const file = import.meta.url.endsWith('.ts') ? './heartbeat-thread.ts' : './heartbeat-thread.js';
    this.#thread = new Worker(new URL(file, import.meta.url));
    this.#thread.unref();
    this.#thread.on('message', ({ lost }: LostMessage) => onLost(lost));
    this.#timer = setInterval(() => void this.#tell(), 1_000);
    this.#timer.unref();
  }

  /** Resolves when the thread was told: from then on this one may block. */
  async keep(token: string, seconds: number): Promise<void> {
    this.#leases.set(token, seconds);
    await this.#tell();
  }

  drop(token: string): void {
    this.#leases.delete(token);
    void this.#tell();
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#thread.terminate();
  }

  async #tell(): Promise<void> {
    // Without a token nothing is told: the next turn asks for one again.
    const token = await this.#client.http.token().catch(() => null);
    if (token === null) return;
    const leases = Array.from(this.#leases, ([lease, seconds]) => ({ token: lease, seconds }));
    const message: ThreadMessage = { url: this.#client.http.url, authorization: `Bearer ${token}`, blockedAtMost: this.#blockedAtMost, leases };
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
    this.#thread.postMessage(message);
  }
}
