import { createHash } from 'node:crypto';
import { text } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import { AwsV4Signer } from 'aws4fetch';
import { Agent, type Dispatcher } from 'undici';
import { retryAfterOf } from '../../../outbound/retry-after.ts';
import { StoreUnavailableError } from '../errors.ts';
import { isTransient, S3Error, storeErrorOf } from './s3-error.ts';
import { bucketUrl, type S3Settings } from './s3-settings.ts';

interface S3Request {
  method: 'GET' | 'HEAD' | 'PUT' | 'POST' | 'DELETE';
  /** Without the prefix; empty for the bucket. */
  key: string;
  query?: Record<string, string>;
  headers?: Record<string, string>;
  body?: Buffer;
}

interface S3Answer {
  headers: Dispatcher.ResponseData['headers'];
  /** All of it: for answers that are small. */
  body: string;
}

/** In milliseconds. */
const timeouts = { connect: 10_000, headers: 60_000, bodyIdle: 60_000, wholeTry: 60_000 } as const;

/** So slow may a body be sent, in bytes each millisecond, beside the time of a whole try. */
const slowest = 64;

/** How often a request is tried, and the pauses between: doubled each time, and any part of that, so that many do not come at once. */
const patience = { tries: 7, firstPause: 200, longestPause: 10_000, longestAskedFor: 30_000 } as const;

/** Requests that are under way at once, of a process. Files that are read have a connection each, for as long as their readers take. */
const mostConnections = 32;

/** The most of an answer in XML: a list of a thousand keys takes less. */
const mostAnswer = 4 * 1024 ** 2;

/** Asks one bucket, with signatures and patience. */
export class S3Client {
  readonly #settings: S3Settings;
  readonly #base: URL;
  readonly #calls = new Agent({ ...agentOptions(), connections: mostConnections });
  readonly #reads = new Agent(agentOptions());
  /** The signer's: keys that it has derived. */
  readonly #derived = new Map<string, ArrayBuffer>();

  constructor(settings: S3Settings) {
    this.#settings = settings;
    this.#base = bucketUrl(settings);
  }

  /** Without secrets. */
  get place(): string {
    const { bucket, prefix } = this.#settings;
    return `s3://${bucket}/${prefix} at ${this.#base.origin}`;
  }

  /**
   * Tries until it is answered well, or refused.
   *
   * @throws S3Error if it is refused, StoreUnavailableError if it is not answered, NoRoomError, or the signal's reason
   */
  async call(request: S3Request, signal: AbortSignal, tries?: number): Promise<S3Answer> {
    return this.insist(() => this.callOnce(request, signal), signal, tries);
  }

  /** Tries once. */
  async callOnce(request: S3Request, signal: AbortSignal): Promise<S3Answer> {
    const milliseconds = timeouts.wholeTry + Math.ceil((request.body?.byteLength ?? 0) / slowest);
    const within = AbortSignal.any([signal, AbortSignal.timeout(milliseconds)]);
    const { headers, body } = await this.#send(this.#calls, request, within);
    return { headers, body: await all(body) };
  }

  /** Opens a body, which is to be read or destroyed. Tries once. */
  openOnce(request: S3Request, signal: AbortSignal): Promise<Dispatcher.ResponseData> {
    return this.#send(this.#reads, request, signal);
  }

  /** Repeats what may succeed later. */
  async insist<Result>(act: () => Promise<Result>, signal: AbortSignal, tries: number = patience.tries): Promise<Result> {
    for (let tried = 1; ; tried += 1) {
      try {
        return await act();
      } catch (error) {
        if (signal.aborted) throw reasonOf(signal);
        if (tried === tries || !isTransient(error)) throw storeErrorOf(error);
        await this.pause(tried, error, signal);
      }
    }
  }

  /** Waits before another try, as the service asks or as long as is usual. */
  async pause(tried: number, error: unknown, signal: AbortSignal): Promise<void> {
    const longest = Math.min(patience.longestPause, patience.firstPause * 2 ** tried);
    const askedFor = error instanceof S3Error ? Math.min(error.retryAfter ?? 0, patience.longestAskedFor) : 0;
    await delay(askedFor + Math.random() * longest, undefined, { signal }).catch(() => {
      throw reasonOf(signal);
    });
  }

  /** A URL that anybody may GET for so many seconds. */
  async presign(key: string, query: Record<string, string>, seconds: number): Promise<string> {
    const url = this.#urlOf(key, { ...query, 'X-Amz-Expires': String(seconds) });
    const signed = await this.#signer({ method: 'GET', url: url.href, signQuery: true }).sign();
    // URLSearchParams writes a space as a plus, which not every service reads so.
    return signed.url.href.replaceAll('+', '%20');
  }

  /** May be called twice. */
  async close(): Promise<void> {
    await Promise.all([this.#calls.destroy(), this.#reads.destroy()]);
  }

  async #send(agent: Agent, { method, key, query = {}, headers = {}, body }: S3Request, signal: AbortSignal): Promise<Dispatcher.ResponseData> {
    // The hash of what is sent, as Amazon asks for over plain HTTP: what arrives otherwise is refused there.
    const sha256 = createHash('sha256').update(body ?? '').digest('hex');
    const url = this.#urlOf(key, query).href;
    const about = { ...(body !== undefined && { 'content-type': 'application/octet-stream' }), ...headers, 'x-amz-content-sha256': sha256 };
    const signed = await this.#signer({ method, url, headers: about }).sign();
    const answer = await agent.request({
      origin: signed.url.origin,
      path: signed.url.pathname + signed.url.search,
      method,
      headers: Object.fromEntries(signed.headers),
      ...(body !== undefined && { body }),
      signal,
    });
    if (answer.statusCode >= 200 && answer.statusCode < 300) return answer;
    const { 'retry-after': retryAfter, 'x-amz-bucket-region': region } = answer.headers;
    const what = `${method} ${key === '' ? this.place : key}`;
    throw new S3Error(what, {
      status: answer.statusCode,
      body: await all(answer.body),
      retryAfter: retryAfterOf(retryAfter),
      region: region?.toString() ?? null,
    });
  }

  #urlOf(key: string, query: Record<string, string>): URL {
    const url = new URL(this.#base);
    if (key !== '') url.pathname = `${url.pathname.replace(/\/$/, '')}/${encoded(this.#settings.prefix + key)}`;
    url.search = Object.entries(query).map(([name, value]) => `${encoded(name)}=${encoded(value)}`).join('&');
    return url;
  }

  #signer(request: { method: string; url: string; headers?: Record<string, string>; signQuery?: boolean }): AwsV4Signer {
    const { accessKeyId, secretAccessKey, sessionToken, region } = this.#settings;
    const credentials = { accessKeyId, secretAccessKey, ...(sessionToken !== null && { sessionToken }) };
    return new AwsV4Signer({ ...request, ...credentials, service: 's3', region, cache: this.#derived });
  }
}

function agentOptions(): Agent.Options {
  return { headersTimeout: timeouts.headers, bodyTimeout: timeouts.bodyIdle, connect: { timeout: timeouts.connect }, pipelining: 1 };
}

/** Why the caller has no more time: a limit of ours means that the service took too long. */
function reasonOf({ reason }: AbortSignal): unknown {
  return reason instanceof Error && reason.name === 'TimeoutError' ? new StoreUnavailableError(reason) : reason;
}

/** All of a small body. */
async function all(body: Dispatcher.ResponseData['body']): Promise<string> {
  let bytes = 0;
  async function* limited() {
    for await (const chunk of body) {
      bytes += chunk.length;
      if (bytes > mostAnswer) throw new Error(`The answer is larger than ${mostAnswer} bytes.`);
      yield chunk;
    }
  }
  return text(limited());
}

/** As RFC 3986 has it: also what encodeURIComponent leaves. */
function encoded(value: string): string {
  return encodeURIComponent(value).replace(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`).replaceAll('%2F', '/');
}
