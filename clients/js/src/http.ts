import type { Credentials } from './credentials.ts';
import { ConnectionError, errorOf, type Failure, isPassing, LonghaulError, TokenExpiredError } from './errors.ts';
import { backoff, begin, link, pause } from './limits.ts';

/** The answer of GraphQL. */
export interface Result<Data = Record<string, unknown>> {
  data?: Data | null;
  errors?: readonly { message: string; extensions?: Record<string, unknown> }[];
}

/** How long one request may wait for its answer, in milliseconds. */
const answerWithin = 30_000;

/** How often a call is tried: over half a minute, longer than a server takes to restart. */
const mostTries = 9;

/** How a call is sent. */
interface Sending {
  signal: AbortSignal;
  headers?: Record<string, string>;
}

/** How an operation is asked. */
interface Asking {
  /** Whether it may be done twice, and so be sent again where no answer came. Default: true. */
  repeatable?: boolean;
  /** Told before each further try. */
  onRepeat?: (() => void) | undefined;
}

/** Queries and mutations over HTTP. */
export class Http {
  /** Of GraphQL. */
  readonly url: string;
  readonly fetch: typeof fetch;
  readonly #credentials: Credentials;

  constructor(url: string, fetcher: typeof fetch, credentials: Credentials) {
    this.url = url;
    this.fetch = fetcher;
    this.#credentials = credentials;
  }

  /** The data of an operation. @throws LonghaulError */
  async ask<Data>(query: string, variables: object, signal: AbortSignal, asking?: Asking): Promise<Data> {
    return dataOf(await this.result<Data>(query, variables, signal, asking));
  }

  /** The answer to an operation. What passes (no answer, UNAVAILABLE, RATE_LIMITED) is tried again with jitter. @throws ConnectionError */
  async result<Data>(query: string, variables: object, signal: AbortSignal, { repeatable = true, onRepeat }: Asking = {}): Promise<Result<Data>> {
    for (let tries = 1; ; tries += 1) {
      const outcome = await this.#once<Data>(query, variables, signal).catch((error: unknown) => ({ error }));
      const failure = 'error' in outcome ? outcome.error : failureIn(outcome);
      signal.throwIfAborted();
      // What was refused for its rate was not done.
      const isAsked = isPassing(failure) && (repeatable || failure.code === 'RATE_LIMITED') && tries < mostTries;
      if (!isAsked) {
        if ('error' in outcome) throw outcome.error;
        return outcome;
      }
      await pause(Math.max(backoff(tries), failure.retryAfter ?? 0), signal);
      onRepeat?.();
    }
  }

  /** The token in use; null where `auth` is null. Rejects with what `auth` throws. */
  token(): Promise<string | null> {
    return this.#credentials.token();
  }

  /** Whether the server answers at all. */
  async answers(signal: AbortSignal): Promise<boolean> {
    const { signal: soon, release } = link([begin({ signal, timeout: 5_000 })]);
    try {
      return !isPassing(failureIn(await this.#once('{ __typename }', {}, soon)));
    } catch (error) {
      signal.throwIfAborted();
      return error instanceof LonghaulError && !isPassing(error) && !soon.aborted;
    } finally {
      release();
    }
  }

  /** Sends with a token; where its time is over, once more with a fresh one. @throws ConnectionError */
  async send(body: object, sending: Sending): Promise<Response> {
    const token = await this.#credentials.token();
    const response = await this.#post(token, body, sending);
    if (response.status !== 401 || !this.#credentials.canRefresh) return response;
    const { errors } = await parse(response.clone());
    if (errors?.[0]?.extensions?.['code'] !== 'TOKEN_EXPIRED') return response;
    await response.body?.cancel();
    this.#credentials.expired(token);
    return this.#post(await this.#credentials.token(), body, sending);
  }

  async #once<Data>(query: string, variables: object, outer: AbortSignal): Promise<Result<Data>> {
    const { signal, release } = link([begin({ signal: outer, timeout: answerWithin })]);
    try {
      const response = await this.send({ query, variables }, { signal, headers: { accept: 'application/json' } });
      return await parse<Data>(response);
    } catch (error) {
      outer.throwIfAborted();
      throw signal.aborted ? new ConnectionError(`No answer came within ${answerWithin / 1_000} seconds.`) : error;
    } finally {
      release();
    }
  }

  async #post(token: string | null, body: object, { signal, headers }: Sending): Promise<Response> {
    // Taken off the object: a browser's fetch refuses any `this` but the window.
    const { fetch: send } = this;
    // Outside: what is no JSON, and a token that fits no header, is not the network's fault.
    const all = { ...headers, ...(token === null ? {} : { authorization: `Bearer ${token}` }), 'content-type': 'application/json' };
    const init = { method: 'POST', headers: Object.fromEntries(new Headers(all)), body: JSON.stringify(body), signal };
    try {
      return await send(this.url, init);
    } catch (cause) {
      signal.throwIfAborted();
      throw new ConnectionError('The server could not be reached.', { cause });
    }
  }
}

/** Reads an answer, whatever stands between: a proxy's page becomes an error of its status. */
export async function parse<Data>(response: Response): Promise<Result<Data>> {
  let text: string;
  try {
    text = await response.text();
  } catch (cause) {
    throw new ConnectionError('The connection broke during an answer.', { cause });
  }
  const after = Number(response.headers.get('retry-after'));
  const retryAfter = after > 0 ? { retryAfter: after * 1_000 } : {};
  try {
    const answer: unknown = JSON.parse(text);
    if (isResult<Data>(answer)) {
      const { errors, ...rest } = answer;
      return errors === undefined ? rest : { ...rest, errors: errors.map((error) => ({ ...error, extensions: { ...error.extensions, ...retryAfter } })) };
    }
  } catch {
    // Told below.
  }
  const { status } = response;
  const code = status >= 500 ? 'UNAVAILABLE' : status === 429 ? 'RATE_LIMITED' : 'NOT_LONGHAUL';
  throw errorOf({ code, message: `The answer (${status}) is not Longhaul's. Check the url, and what stands between.`, ...retryAfter });
}

function isResult<Data>(answer: unknown): answer is Result<Data> {
  return typeof answer === 'object' && answer !== null && ('data' in answer || 'errors' in answer);
}

/** The data. @throws LonghaulError */
export function dataOf<Data>(result: Result<Data>): Data {
  const failure = failureIn(result);
  if (failure !== null) throw failure;
  if (result.data == null) throw errorOf({ code: 'INTERNAL', message: 'The answer has no data.' });
  return result.data;
}

/** The first of its errors. */
function failureIn({ errors }: Result<unknown>): LonghaulError | null {
  const [first] = errors ?? [];
  if (first === undefined) return null;
  const { code, retryAfter } = first.extensions ?? {};
  const failure: Failure = { code: typeof code === 'string' ? code : 'INTERNAL', message: first.message };
  return errorOf(typeof retryAfter === 'number' ? { ...failure, retryAfter } : failure);
}

/** Whether it tells that a token's time is over. */
export function isExpiry(error: unknown): error is TokenExpiredError {
  return error instanceof TokenExpiredError;
}
