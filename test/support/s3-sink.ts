import { createHash, type Hash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { onTestFinished } from 'vitest';
import { blocks } from './large-file.ts';

/** An S3 service for one large file at a time: it counts and hashes what comes, and drops it. Closed after the test. */
interface S3Sink {
  url: string;
  /** Of what was taken, in its order, without what was sent again. */
  sha256(): string;
  /** How often parts were refused or cut. */
  troubles: number;
}

/** Each so manyth part is refused at first, and each so manyth after those is cut in the middle. */
const refusesEach = 50;

export async function openS3Sink(): Promise<S3Sink> {
  let sizes: number[] = [];
  let hash = createHash('sha256');
  const met = new Set<string>();
  const sink: S3Sink = { url: '', sha256: () => hash.copy().digest('hex'), troubles: 0 };
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '', 'http://s3');
    const part = url.searchParams.get('partNumber');
    const bytes = sizes.reduce((sum, size) => sum + size, 0);
    const about = { etag: '"large"', 'last-modified': new Date().toUTCString(), 'content-length': bytes };
    if (part !== null && Number(part) % refusesEach === 0 && !met.has(part)) {
      met.add(part);
      sink.troubles += 1;
      if (Number(part) % (2 * refusesEach) === 0) return void request.once('data', () => request.socket.destroy());
      return void request.resume().on('end', () => response.writeHead(503).end('<Error><Code>SlowDown</Code></Error>'));
    }
    if (part !== null) return void take(request, response, hash, sizes);
    if (request.method === 'HEAD') return void response.writeHead(200, about).end();
    if (request.method === 'GET') return void Readable.from(blocks(bytes / 1024 ** 2)).pipe(response.writeHead(200, about));
    if (url.searchParams.has('uploads')) {
      [sizes, hash, sink.troubles] = [[], createHash('sha256'), 0];
      met.clear();
    }
    request.resume().on('end', () => response.end('<Result><UploadId>one</UploadId></Result>'));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  sink.url = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`;
  return sink;
}

function take(request: IncomingMessage, response: ServerResponse, hash: Hash, sizes: number[]): void {
  let size = 0;
  request.on('data', (chunk: Buffer) => {
    hash.update(chunk);
    size += chunk.length;
  });
  request.on('end', () => {
    sizes.push(size);
    response.writeHead(200, { etag: `"${sizes.length}"` }).end();
  });
}
