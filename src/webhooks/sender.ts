import type { Agent } from 'undici';
import { abortable } from '../outbound/abortable.ts';
import type { OutboundAllow } from '../outbound/addresses.ts';
import { createOutboundAgent } from '../outbound/agent.ts';
import { OutboundError, toOutboundError } from '../outbound/outbound-error.ts';
import { parseOutboundUrl } from '../outbound/fetch.ts';
import { retryAfterOf } from '../outbound/retry-after.ts';

/** The outcome of one try. */
export interface Outcome {
  /** HTTP status of the response; null if there was none. */
  status: number | null;
  /** Why it was not delivered, in a sentence that quotes nothing of the response; null if it was delivered. */
  problem: string | null;
  /** How long the receiver asks us to wait before the next try, in seconds; null if it does not say. */
  retryAfter: number | null;
}

interface Message {
  url: string;
  headers: Record<string, string>;
  body: string;
}

/** The time limit of a whole try, DNS lookup included. */
const tryMilliseconds = 10_000;

/** 410: the receiver says that it will not be back (RFC 9110, section 15.5.11). */
export const gone = 410;

/** How much of a response body is read and discarded, as a courtesy to the receiver. */
const readBytes = 4_096;

/**
 * Sends every webhook try: one POST, no redirects, and only to public addresses or those that OUTBOUND_ALLOW names.
 * Each try resolves the name once, checks the addresses and connects to one of them. Connections are not reused.
 */
export class Sender {
  readonly #agent: Agent;

  constructor(allow: OutboundAllow) {
    this.#agent = createOutboundAgent(allow);
  }

  /** Rejects only when the signal aborts, with its reason. */
  async send({ url, headers, body }: Message, signal: AbortSignal): Promise<Outcome> {
    const timeout = AbortSignal.timeout(tryMilliseconds);
    try {
      return await this.#post(parseOutboundUrl(url), headers, body, AbortSignal.any([signal, timeout]));
    } catch (error) {
      signal.throwIfAborted();
      const host = URL.parse(url)?.host ?? 'The receiver';
      const problem = timeout.aborted
        ? `${host} did not answer within ${tryMilliseconds / 1_000} seconds. Respond first, then process it.`
        : describe(error, host);
      return { status: null, problem, retryAfter: null };
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
      // If the receiver closed a kept-alive connection just now, we could not tell whether the POST arrived.
      reset: true,
    });
    // undici ignores the signal until it is connected, which may take as long as the connect timeout.
    const { statusCode, headers: answered, body: answer } = await abortable(request, signal);
    // The status alone decides: it does not matter if the body breaks off or never ends.
    await abortable(answer.dump({ limit: readBytes, signal }), signal).catch(() => undefined);
    const wait = retryAfterOf(answered['retry-after']);
    return { status: statusCode, problem: problemOf(statusCode, url.host), retryAfter: wait === null ? null : wait / 1_000 };
  }
}

function problemOf(status: number, host: string): string | null {
  if (status >= 200 && status < 300) return null;
  if (status >= 300 && status < 400) {
    return `${host} answered ${status}, and redirects are not followed. Use the URL that it redirects to.`;
  }
  if (status === gone) return `${host} answered ${status}: it wants no more of it. redeliverWebhook sends it again.`;
  return `${host} answered ${status}. Respond with any 2xx to accept the delivery.`;
}

function describe(error: unknown, host: string): string {
  return (error instanceof OutboundError ? error : toOutboundError(error, host)).message;
}
