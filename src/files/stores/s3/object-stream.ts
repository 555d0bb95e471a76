import { Readable } from 'node:stream';
import type { ByteRange } from '../store.ts';
import type { S3Client } from './s3-client.ts';
import { isTransient, storeErrorOf } from './s3-error.ts';

/** What an object is: `etag` as the service writes it. */
interface S3Object {
  key: string;
  bytes: number;
  etag: string;
}

/** How often in a row it may break off without another byte. */
const mostFailures = 5;

/** The bytes of an object. Where an answer breaks off, the rest is asked for, of the same object. */
export function objectStream(client: S3Client, object: S3Object, range: ByteRange): Readable {
  const closing = new AbortController();
  const iterator = pieces(client, object, range, closing.signal);
  return new Readable({
    read() {
      iterator.next().then(
        ({ done, value }) => this.push(done === true ? null : value),
        (error: Error) => this.destroy(error),
      );
    },
    // Readable.from would wait for what is under way, and that for a service that may hang.
    destroy(error, callback) {
      closing.abort(new Error('Nobody reads the file any more.'));
      callback(error);
    },
  });
}

async function* pieces(client: S3Client, object: S3Object, { start, end }: ByteRange, signal: AbortSignal): AsyncGenerator<Uint8Array, void> {
  let at = start;
  for (let failures = 0; at <= end; ) {
    try {
      for await (const chunk of rest(client, object, { start: at, end }, signal)) {
        at += chunk.byteLength;
        failures = 0;
        if (chunk.byteLength > 0) yield chunk;
      }
      if (at <= end) throw new BrokenOffError();
    } catch (error) {
      signal.throwIfAborted();
      failures += 1;
      if (failures > mostFailures || !(error instanceof BrokenOffError || isTransient(error))) throw storeErrorOf(error);
      await client.pause(failures, error, signal);
    }
  }
}

async function* rest(client: S3Client, { key, bytes, etag }: S3Object, { start, end }: ByteRange, signal: AbortSignal): AsyncGenerator<Uint8Array, void> {
  const isWhole = start === 0 && end === bytes - 1;
  const headers = { 'if-match': etag, ...(!isWhole && { range: `bytes=${start}-${end}` }) };
  const { body, headers: about } = await client.openOnce({ method: 'GET', key, headers }, signal);
  try {
    // Not every service knows If-Match.
    if (about['etag'] !== etag) throw new Error(`The object ${key} is another one than it was.`);
    const [, first, size] = /^bytes (\d+)-\d+\/(\d+)$/.exec(String(about['content-range'])) ?? [];
    if (!isWhole && (Number(first) !== start || Number(size) !== bytes)) throw new Error(`${client.place} answered another range of ${key} than was asked for.`);
    let left = end - start + 1;
    const chunks: AsyncIterable<Buffer> = body;
    for await (const chunk of chunks) {
      // s3rver goes on after a range of the first byte alone.
      yield chunk.subarray(0, left);
      left -= chunk.length;
      if (left <= 0) return;
    }
  } finally {
    body.destroy();
  }
}

/** The answer ended too early, as if it were all. */
class BrokenOffError extends Error {}

