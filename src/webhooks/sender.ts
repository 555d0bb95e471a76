import type { Agent } from 'undici';
import { abortable } from '../outbound/abortable.ts';
import type { OutboundAllow } from '../outbound/addresses.ts';
import { createOutboundAgent } from '../outbound/agent.ts';
import { OutboundError, toOutboundError } from '../outbound/outbound-error.ts';
import { parseOutboundUrl } from '../outbound/fetch.ts';

/** What became of one try. */
export interface Outcome {
  /** HTTP status of the answer; null where there was none. */
  status: number | null;
  /** Why it does not count as delivered, in a sentence that repeats nothing of the answer; null: delivered. */
  problem: string | null;
}

export interface Message {
  url: string;
  headers: Record<string, string>;
  body: string;
}

/** For the whole of a try, from the name's resolution on. */
const tryMilliseconds = 10_000;

/** So much of an answer's body is read, for the receiver's sake; nobody looks at it. */
const readBytes = 4_096;

/**
 * The one way in which webhooks go out, at the first try and at every other: one POST, no redirects, public addresses
 * only and what OUTBOUND_ALLOW names. Each try resolves the name once, checks the addresses and connects to those very
 * ones; no connection is kept for the next.
 */
export class Sender {
  readonly #agent: Agent;

  constructor(allow: OutboundAllow) {
    this.#agent = createOutboundAgent(allow);
  }

  /** Rejects only with the signal's reason, once it aborts. */
  async send({ url, headers, body }: Message, signal: AbortSignal): Promise<Outcome> {
    const timeout = AbortSignal.timeout(tryMilliseconds);
    try {
      return await this.#post(parseOutboundUrl(url), headers, body, AbortSignal.any([signal, timeout]));
    } catch (error) {
      signal.throwIfAborted();
      const host = URL.parse(url)?.host ?? 'The receiver';
      const problem = timeout.aborted
        ? `${host} did not answer within ${tryMilliseconds / 1_000} seconds. Answer first, and work afterwards.`
        : describe(error, host);
      return { status: null, problem };
    }
  }

  /** May be called twice. */
  async close(): Promise<void> {
    await this.#agent.destroy();
  }

  async #post(url: URL, headers: Record<string, string>, body: string, signal: AbortSignal): Promise<Outcome> {
    signal.throwIfAborted();
    const request = this.#agent.request({
      origin: url.origin,
      path: url.pathname + url.search,
      method: 'POST',
      headers: { accept: '*/*', 'content-type': 'application/json', 'user-agent': 'longhaul', ...headers },
      body,
      signal,
      // A connection that the receiver closes at that moment would lose a POST that cannot be told from one that arrived.
      reset: true,
    });
    // undici heeds the signal only once it is connected, which may take until the connect timeout.
    const { statusCode, body: answer } = await abortable(request, signal);
    // The status has decided; a body that breaks off or never ends changes nothing.
    await abortable(answer.dump({ limit: readBytes, signal }), signal).catch(() => undefined);
    return { status: statusCode, problem: problemOf(statusCode, url.host) };
  }
}

function problemOf(status: number, host: string): string | null {
  if (status >= 200 && status < 300) return null;
  if (status >= 300 && status < 400) {
    return `${host} answered ${status}, and redirects are not followed. Give the URL that it leads to.`;
  }
  return `${host} answered ${status}. Any 2xx says that the delivery has arrived.`;
}

function describe(error: unknown, host: string): string {
  return (error instanceof OutboundError ? error : toOutboundError(error, host)).message;
}
