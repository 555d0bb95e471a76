import { MIMEType } from 'node:util';

import { OutboundError, toOutboundError } from '../../outbound/errors.ts';
import { discard, type OutboundResponse } from '../../outbound/fetch.ts';
import { HandlerError, type Attempt } from '../handler.ts';
import { filenameOf } from './filename.ts';
import { createMeter } from './meter.ts';

/** The file behind a job's `sourceUrl`, its headers received and found good. */
export interface Source {
  /** As the job names it. */
  sourceUrl: string;
  filename: string;
  /** As the source declares it; `application/octet-stream` when it does not. */
  mediaType: string;
  /** The body, its progress reported; throws a HandlerError when it breaks off or grows past the limit. */
  bytes: AsyncIterable<Uint8Array>;
  /** Ends the connection. To be called in any case; may be called twice. */
  close(): void;
}

/**
 * Opens `input.sourceUrl` of the attempt's job. Throws a HandlerError: SOURCE_REFUSED, SOURCE_UNREACHABLE,
 * SOURCE_STATUS, SOURCE_ENCODING or SOURCE_TOO_LARGE (over `maxBytes`, where the length is declared).
 */
export async function openSource(attempt: Attempt, { maxBytes }: { maxBytes: number }): Promise<Source> {
  const sourceUrl = attempt.job.input['sourceUrl'];
  if (typeof sourceUrl !== 'string') {
    throw new HandlerError('SOURCE_REFUSED', 'The input has no sourceUrl. Send one.', { retryable: false });
  }
  attempt.report({ step: 'connecting' });
  const response = await request(attempt, sourceUrl);
  const { url, headers, body } = response;
  try {
    refuseStatus(response);
    refuseEncoding(response);
    const total = lengthOf(response);
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

async function request({ fetch, signal }: Attempt, sourceUrl: string): Promise<OutboundResponse> {
  try {
    return await fetch.request(sourceUrl, { signal });
  } catch (error) {
    throw error instanceof OutboundError ? toHandlerError(error) : error;
  }
}

/** The body within its limit, its progress reported after each chunk that was taken. */
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
}

/** undici ends the body with an error when it is shorter than its Content-Length or its last chunk is missing. */
async function* chunksOf({ url, body }: OutboundResponse, signal: AbortSignal): AsyncGenerator<Uint8Array, void> {
  const chunks: AsyncIterable<Uint8Array> = body;
  try {
    yield* chunks;
  } catch (error) {
    signal.throwIfAborted();
    const { host } = new URL(url);
    const reason = toOutboundError(error, host);
    if (reason.code === 'TIMEOUT') throw toHandlerError(reason);
    const message = `${host} broke off before the end of the file. Try again, or use a source that sends it whole.`;
    throw new HandlerError('SOURCE_INCOMPLETE', message, { retryable: true, cause: reason });
  }
}

function toHandlerError(cause: OutboundError): HandlerError {
  const { code, message } = cause;
  switch (code) {
    case 'ADDRESS_REFUSED':
    case 'BAD_URL':
      return new HandlerError('SOURCE_REFUSED', message, { retryable: false, cause });
    case 'TOO_MANY_REDIRECTS':
      return new HandlerError('SOURCE_UNREACHABLE', message, { retryable: false, cause });
    case 'UNREACHABLE':
    case 'TIMEOUT':
      return new HandlerError('SOURCE_UNREACHABLE', message, { retryable: true, cause });
  }
}

function refuseStatus({ url, status }: OutboundResponse): void {
  if (status >= 200 && status < 300) return;
  const retryable = status === 408 || status === 425 || status === 429 || status >= 500;
  const advice = retryable ? 'Try again later.' : 'Check that the URL works without signing in.';
  throw new HandlerError('SOURCE_STATUS', `${new URL(url).host} answered with status ${status}. ${advice}`, { retryable });
}

/** A file stored as it was sent would be compressed without saying so, and its fingerprint another one. */
function refuseEncoding({ url, headers }: OutboundResponse): void {
  const encoding = single(headers['content-encoding'])?.trim().toLowerCase() ?? '';
  if (encoding === '' || encoding === 'identity') return;
  const message = `${new URL(url).host} sends the file with a content encoding although asked not to. Use a source that sends it plain.`;
  throw new HandlerError('SOURCE_ENCODING', message, { retryable: false });
}

function tooLarge(maxBytes: number): HandlerError {
  const message = `The file is larger than the limit of ${maxBytes} bytes. Use a smaller one.`;
  return new HandlerError('SOURCE_TOO_LARGE', message, { retryable: false });
}

function lengthOf({ headers }: OutboundResponse): number | null {
  const length = single(headers['content-length']) ?? '';
  return /^\d{1,15}$/.test(length) ? Number(length) : null;
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
