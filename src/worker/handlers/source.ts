import { setTimeout as pause } from 'node:timers/promises';
import { MIMEType } from 'node:util';

import { OutboundError, toOutboundError } from '../../outbound/outbound-error.ts';
import { discard, type OutboundResponse } from '../../outbound/fetch.ts';
import { retryAfterOf } from '../../outbound/retry-after.ts';
import { HandlerError, type Attempt } from '../handler.ts';
import { filenameOf } from './filename.ts';
import { createMeter } from './meter.ts';

/** The file at a job's `sourceUrl`, once its headers were received and accepted. */
export interface Source {
  /** The URL as the job gives it. */
  sourceUrl: string;
  filename: string;
  /** The type that the source declares, or `application/octet-stream`. */
  mediaType: string;
  /** The file's bytes. Reports progress. Throws a HandlerError if the file breaks off or exceeds the limit. */
  bytes: AsyncIterable<Uint8Array>;
  /** Closes the connection. Must always be called. May be called twice. */
  close(): void;
}

/**
 * How long an attempt waits for a source that answers 202, in milliseconds: in total, and before each further request.
 */
const patience = { whole: 30_000, usual: 2_000, least: 1_000 } as const;

/**
 * Opens `input.sourceUrl` of the attempt's job.
 *
 * @throws HandlerError: SOURCE_REFUSED, SOURCE_UNREACHABLE, SOURCE_STATUS, SOURCE_ENCODING, SOURCE_INCOMPLETE (the
 *   source sends only part of the file) or SOURCE_TOO_LARGE (the declared length exceeds `maxBytes`).
 */
export async function openSource(attempt: Attempt, { maxBytes }: { maxBytes: number }): Promise<Source> {
  const sourceUrl = attempt.job.input['sourceUrl'];
  if (typeof sourceUrl !== 'string') {
    throw new HandlerError('SOURCE_REFUSED', 'The input has no sourceUrl. Send one.', { retryable: false });
  }
  attempt.report({ step: 'connecting' });
  const response = await requestUntilReady(attempt, sourceUrl);
  const { url, headers, body } = response;
  try {
    refuseStatus(response);
    refuseEncoding(response);
    const total = sizeOf(response);
    if (total !== null && total > maxBytes) throw tooLarge(maxBytes);
    return {
      sourceUrl,
      filename: filenameOf(url, single(headers['content-disposition'])),
      mediaType: mediaTypeOf(single(headers['content-type'])),
      bytes: read(attempt, response, { total, maxBytes }),
      close: () => discard(body),
    };
  } catch (error) {
    discard(body);
    throw error;
  }
}

/** 202 means that the file is not ready yet. Asks again after Retry-After, as long as the attempt can wait. */
async function requestUntilReady(attempt: Attempt, sourceUrl: string): Promise<OutboundResponse> {
  for (let waited = 0; ; ) {
    const response = await request(attempt, sourceUrl);
    if (response.status !== 202) return response;
    discard(response.body);
    const { host } = new URL(response.url);
    const wait = Math.max(retryAfterOf(response.headers['retry-after']) ?? patience.usual, patience.least);
    if (waited + wait > patience.whole) {
      const message = `${host} has not prepared the file yet (status 202). Try again later.`;
      throw new HandlerError('SOURCE_STATUS', message, { retryable: true });
    }
    attempt.report({ step: 'waiting', message: `${host} is preparing the file` });
    await pause(wait, undefined, { signal: attempt.signal }).catch(() => attempt.signal.throwIfAborted());
    waited += wait;
  }
}

async function request({ fetch, signal }: Attempt, sourceUrl: string): Promise<OutboundResponse> {
  try {
    return await fetch.request(sourceUrl, { signal });
  } catch (error) {
    throw error instanceof OutboundError ? toHandlerError(error) : error;
  }
}

/** Yields the body, enforces the limit, and reports progress after the consumer has taken each chunk. */
async function* read(
  attempt: Attempt,
  response: OutboundResponse,
  { total, maxBytes }: { total: number | null; maxBytes: number },
): AsyncGenerator<Uint8Array, void> {
  const reportReceived = createMeter(attempt, total);
  let received = 0;
  for await (const chunk of chunksOf(response, attempt.signal)) {
    received += chunk.byteLength;
    if (received > maxBytes) throw tooLarge(maxBytes);
    yield chunk;
    reportReceived(received);
  }
  if (total !== null && received !== total) throw brokenOff(new URL(response.url).host);
}

/** Yields the body. undici throws if it is shorter than its Content-Length or if its last chunk is missing. */
async function* chunksOf(response: OutboundResponse, signal: AbortSignal): AsyncGenerator<Uint8Array, void> {
  const { host } = new URL(response.url);
  const chunks: AsyncIterable<Uint8Array> = response.body;
  try {
    yield* chunks;
  } catch (error) {
    signal.throwIfAborted();
    const reason = toOutboundError(error, host);
    throw reason.code === 'TIMEOUT' ? toHandlerError(reason) : brokenOff(host, reason);
  }
  if (response.wasCutOff()) throw brokenOff(host);
}

function brokenOff(host: string, cause?: OutboundError): HandlerError {
  const message = `${host} broke off before the end of the file. Try again, or use a source that sends it whole.`;
  return new HandlerError('SOURCE_INCOMPLETE', message, { retryable: true, cause });
}

function toHandlerError(cause: OutboundError): HandlerError {
  const { code, message } = cause;
  switch (code) {
    case 'ADDRESS_REFUSED':
    case 'BAD_URL':
      return new HandlerError('SOURCE_REFUSED', message, { retryable: false, cause });
    case 'NO_ADDRESS':
    case 'TOO_MANY_REDIRECTS':
      return new HandlerError('SOURCE_UNREACHABLE', message, { retryable: false, cause });
    case 'UNREACHABLE':
    case 'TIMEOUT':
      return new HandlerError('SOURCE_UNREACHABLE', message, { retryable: true, cause });
  }
}

/** Accepts 200, and 206 if sizeOf finds that it holds the whole file. Any other 2xx carries no file. */
function refuseStatus({ url, status }: OutboundResponse): void {
  if (status === 200 || status === 206) return;
  const { host } = new URL(url);
  if (status > 200 && status < 300) {
    const message = `${host} answered with status ${status}, which carries no file. Use the URL of the file itself.`;
    throw new HandlerError('SOURCE_STATUS', message, { retryable: false });
  }
  const retryable = status === 408 || status === 425 || status === 429 || status >= 500;
  const advice = retryable ? 'Try again later.' : 'Check that the URL works without signing in.';
  throw new HandlerError('SOURCE_STATUS', `${host} answered with status ${status}. ${advice}`, { retryable });
}

/** Refuses encoded bodies: stored as sent, the file would be compressed unnoticed and have a different fingerprint. */
function refuseEncoding({ url, headers }: OutboundResponse): void {
  const codings = [headers['content-encoding'], headers['transfer-encoding']].flat().join(',').toLowerCase().split(',');
  if (codings.every((coding) => ['', 'identity', 'chunked'].includes(coding.trim()))) return;
  const message = `${new URL(url).host} sends the file with an encoding that was not requested. Use a source that sends it unencoded.`;
  throw new HandlerError('SOURCE_ENCODING', message, { retryable: false });
}

function tooLarge(maxBytes: number): HandlerError {
  const message = `The file is larger than the limit of ${maxBytes} bytes. Use a smaller one.`;
  return new HandlerError('SOURCE_TOO_LARGE', message, { retryable: false });
}

/**
 * The size in bytes; null if not declared. We request no range, so a 206 is accepted only if it holds the whole file.
 */
function sizeOf({ url, status, headers }: OutboundResponse): number | null {
  const length = number(single(headers['content-length']));
  if (status === 200) return length;
  const [, first, last, size] = /^bytes (\d+)-(\d+)\/(\d+)$/i.exec(single(headers['content-range']) ?? '') ?? [];
  const whole = number(size);
  if (whole !== null && number(first) === 0 && number(last) === whole - 1 && (length ?? whole) === whole) return whole;
  const message = `${new URL(url).host} sent only part of the file (status 206), although all of it was requested. Use a source that sends all of it.`;
  throw new HandlerError('SOURCE_INCOMPLETE', message, { retryable: true });
}

function number(digits = ''): number | null {
  return /^\d{1,15}$/.test(digits) ? Number(digits) : null;
}

function mediaTypeOf(header: string | undefined): string {
  try {
    const type = new MIMEType(header ?? '');
    const whole = type.toString();
    return whole.length <= 200 ? whole : type.essence.slice(0, 200);
  } catch {
    return 'application/octet-stream';
  }
}

function single(header: string | string[] | undefined): string | undefined {
  return Array.isArray(header) ? header[0] : header;
}
