import { setTimeout as pause } from 'node:timers/promises';
import { MIMEType } from 'node:util';

import { meansUpload } from '../../files/uploads/reference.ts';
import { OutboundError, toOutboundError } from '../../outbound/outbound-error.ts';
import { discard, type OutboundResponse } from '../../outbound/fetch.ts';
import { retryAfterOf } from '../../outbound/retry-after.ts';
import { HandlerError, type Attempt } from '../handler.ts';
import { cleanFilename, filenameOf } from './filename.ts';
import { bytesIn, contentRangeOf, single } from './headers.ts';
import { askingForRest, holdsRest, type Leftover, restFrom, validatorOf } from './leftover.ts';
import { createMeter } from './meter.ts';
import type { Source } from './opened-source.ts';
import { paced } from './pace.ts';
import { shownUrl } from './shown-url.ts';
import { openUploadSource } from './upload-source.ts';

/**
 * How long an attempt waits for a source that answers 202, in milliseconds: in total, and before each further request.
 */
const patience = { whole: 30_000, usual: 2_000, least: 1_000 } as const;

interface Asked {
  maxBytes: number;
  /** What an earlier attempt has left. It goes on after it if the source still has the same file and sends ranges. */
  left?: Leftover | null;
}

/**
 * Opens `input.sourceUrl` of the attempt's job: a URL, or an upload that the input names.
 *
 * @throws HandlerError: SOURCE_REFUSED, SOURCE_UNREACHABLE, SOURCE_STATUS, SOURCE_ENCODING, SOURCE_INCOMPLETE (the
 *   source sends only part of the file) or SOURCE_TOO_LARGE (the declared length exceeds `maxBytes`).
 */
export async function openSource(attempt: Attempt, { maxBytes, left = null }: Asked): Promise<Source> {
  const sourceUrl = attempt.job.input['sourceUrl'];
  if (typeof sourceUrl !== 'string') {
    throw new HandlerError('SOURCE_REFUSED', 'The input has no sourceUrl. Send one.', { retryable: false });
  }
  if (meansUpload(sourceUrl)) return openUploadSource(attempt, sourceUrl, { maxBytes, left });
  attempt.report({ step: 'connecting' });
  const response = await requestUntilReady(attempt, sourceUrl, left === null ? {} : askingForRest(left));
  try {
    if (left === null) return wholeOf(attempt, sourceUrl, response, maxBytes);
    if (holdsRest(response, left)) return restOf(attempt, sourceUrl, response, { left, maxBytes });
    if (!isNoRange(response)) return wholeOf(attempt, sourceUrl, response, maxBytes);
  } catch (error) {
    discard(response.body);
    throw error;
  }
  discard(response.body);
  return openSource(attempt, { maxBytes });
}

/** Another range than that asked for, or none: the whole file has to be asked for. */
function isNoRange({ status }: OutboundResponse): boolean {
  return status === 206 || status === 416;
}

function wholeOf(attempt: Attempt, sourceUrl: string, response: OutboundResponse, maxBytes: number): Source {
  const { url, headers } = response;
  refuseStatus(response);
  refuseEncoding(response);
  const total = sizeOf(response);
  refuseTooLarge(total, maxBytes);
  const mediaType = mediaTypeOf(single(headers['content-type']));
  attempt.log.info('the source answered', { status: response.status, mediaType, bytes: total });
  return {
    sourceUrl,
    filename: filenameOf(url, single(headers['content-disposition'])),
    mediaType,
    total,
    validator: validatorOf(response),
    from: 0,
    bytes: read(attempt, response, { from: 0, total, maxBytes }),
    close: () => discard(response.body),
  };
}

/** An answer to If-Range need not describe the file again (RFC 9110, section 15.3.7). */
function restOf(attempt: Attempt, sourceUrl: string, response: OutboundResponse, { left, maxBytes }: { left: Leftover; maxBytes: number }): Source {
  refuseEncoding(response);
  const from = restFrom(left);
  const total = contentRangeOf(response)?.size ?? null;
  refuseTooLarge(total, maxBytes);
  attempt.log.info('the source sends the rest of the file', { status: response.status, from, bytes: total });
  return {
    sourceUrl,
    filename: cleanFilename(left.filename) ?? 'download',
    mediaType: mediaTypeOf(left.mediaType),
    total,
    validator: left.validator,
    from,
    bytes: read(attempt, response, { from, total, maxBytes }),
    close: () => discard(response.body),
  };
}

/** 202 means that the file is not ready yet. Asks again after Retry-After, as long as the attempt can wait. */
async function requestUntilReady(attempt: Attempt, sourceUrl: string, headers: Record<string, string>): Promise<OutboundResponse> {
  for (let waited = 0; ; ) {
    const response = await request(attempt, sourceUrl, headers);
    if (waited === 0) noteSource(attempt, sourceUrl, response);
    if (response.status !== 202) return response;
    discard(response.body);
    const { host } = new URL(response.url);
    const wait = Math.max(retryAfterOf(response.headers['retry-after']) ?? patience.usual, patience.least);
    if (waited + wait > patience.whole) {
      const message = `${host} has not prepared the file yet (status 202). Try again later.`;
      throw new HandlerError('SOURCE_STATUS', message, { retryable: true });
    }
    attempt.report({ step: 'waiting', message: `${host} is preparing the file` });
    attempt.log.info(`${host} is preparing the file; asking again`, { afterMilliseconds: wait });
    await pause(wait, undefined, { signal: attempt.signal }).catch(() => attempt.signal.throwIfAborted());
    waited += wait;
  }
}

function noteSource({ log }: Attempt, sourceUrl: string, { url }: OutboundResponse): void {
  log.debug('asked the source', { source: shownUrl(sourceUrl) });
  if (url !== new URL(sourceUrl).href) log.info('the source redirects', { to: shownUrl(url) });
}

async function request({ fetch, signal }: Attempt, sourceUrl: string, headers: Record<string, string>): Promise<OutboundResponse> {
  try {
    return await fetch.request(sourceUrl, { signal, headers });
  } catch (error) {
    throw error instanceof OutboundError ? toHandlerError(error) : error;
  }
}

/** Yields the body, enforces the limit, and reports progress after the consumer has taken each chunk. */
async function* read(
  attempt: Attempt,
  response: OutboundResponse,
  { from, total, maxBytes }: { from: number; total: number | null; maxBytes: number },
): AsyncGenerator<Uint8Array, void> {
  const reportReceived = createMeter(attempt, total, from);
  let received = from;
  for await (const chunk of paced(chunksOf(response, attempt.signal), new URL(response.url).host)) {
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

function refuseTooLarge(total: number | null, maxBytes: number): void {
  if (total !== null && total > maxBytes) throw tooLarge(maxBytes);
}

function tooLarge(maxBytes: number): HandlerError {
  const message = `The file is larger than the limit of ${maxBytes} bytes. Use a smaller one.`;
  return new HandlerError('SOURCE_TOO_LARGE', message, { retryable: false });
}

/**
 * The size in bytes; null if not declared. Where no range was requested, a 206 is accepted only if it holds the whole file.
 */
function sizeOf(response: OutboundResponse): number | null {
  const { url, status, headers } = response;
  const length = bytesIn(single(headers['content-length']));
  if (status === 200) return length;
  const range = contentRangeOf(response);
  if (range !== null && range.first === 0 && range.last === range.size - 1 && (length ?? range.size) === range.size) return range.size;
  const message = `${new URL(url).host} sent only part of the file (status 206), although all of it was requested. Use a source that sends all of it.`;
  throw new HandlerError('SOURCE_INCOMPLETE', message, { retryable: true });
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
