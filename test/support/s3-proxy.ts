import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type IncomingMessage, request as ask, type ServerResponse } from 'node:http';
import { onTestFinished } from 'vitest';

/** What happens to a request. */
export type S3Fate =
  | 'passes'
  /** Its connection is cut when half of its body has come. */
  | 'cut in the middle'
  /** It is carried out, and the answer never comes. */
  | 'answer lost'
  /** Half of the answer comes, and the connection is cut. */
  | 'answer truncated'
  /** Nothing happens, for ever. */
  | 'hangs'
  | { status: number; code: string; retryAfter?: number };

interface S3Asked {
  /** `part 2`, `begin`, `complete`, `abort`, `list`, or the method and the end of the key. */
  what: string;
  headers: IncomingHttpHeaders;
  at: number;
}

/** An unreliable proxy in front of an S3-compatible server. Closed after the test. */
export interface S3Proxy {
  url: string;
  asked: S3Asked[];
  /** The fates of what is asked from now on: by what it is, and how often that was asked, from 1. */
  fateOf: (what: string, nth: number) => S3Fate;
}

export async function openS3Proxy(target: string, fateOf: S3Proxy['fateOf'] = () => 'passes'): Promise<S3Proxy> {
  const counts = new Map<string, number>();
  const proxy: S3Proxy = { url: '', asked: [], fateOf };
  const server = createServer((incoming, response) => {
    const what = nameOf(incoming);
    const nth = (counts.get(what) ?? 0) + 1;
    counts.set(what, nth);
    proxy.asked.push({ what, headers: incoming.headers, at: performance.now() });
    meet(proxy.fateOf(what, nth), target, incoming, response);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  proxy.url = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`;
  return proxy;
}

function nameOf({ method = '', url = '' }: IncomingMessage): string {
  const { pathname, searchParams } = new URL(url, 'http://s3');
  if (searchParams.has('partNumber')) return `part ${searchParams.get('partNumber')}`;
  if (searchParams.has('uploads')) return 'begin';
  if (searchParams.has('uploadId')) return method === 'DELETE' ? 'abort' : 'complete';
  if (searchParams.has('list-type')) return 'list';
  const [, suffix = ''] = /\/[^/.]*\.([^/]*)$/.exec(pathname) ?? [];
  return `${method} ${suffix.replace(/^\d+\./, '')}`.trim();
}

function meet(fate: S3Fate, target: string, incoming: IncomingMessage, response: ServerResponse): void {
  const cut = () => void incoming.socket.destroy();
  if (fate === 'hangs') return;
  if (fate === 'cut in the middle') {
    let left = Number(incoming.headers['content-length']) / 2;
    incoming.on('data', (chunk: Buffer) => (left -= chunk.length) <= 0 && cut());
    return;
  }
  if (typeof fate === 'object') {
    const { status, code, retryAfter } = fate;
    // As Amazon does, which reads the body first.
    incoming.resume().on('end', () => {
      if (retryAfter !== undefined) response.setHeader('retry-after', retryAfter);
      response.writeHead(status, { 'content-type': 'application/xml' });
      response.end(incoming.method === 'HEAD' ? '' : `<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>${code}</Code><Message>Not now.</Message></Error>`);
    });
    return;
  }
  // The host stays what was signed.
  const outgoing = ask(new URL(incoming.url ?? '', target), { method: incoming.method, headers: incoming.headers }, (answer) => {
    if (fate === 'answer lost') return void answer.resume().on('end', cut);
    response.writeHead(answer.statusCode ?? 500, answer.headers);
    if (fate === 'passes') return void answer.pipe(response);
    let left = Math.floor(Number(answer.headers['content-length']) / 2);
    answer.on('data', (chunk: Buffer) => {
      if (left <= 0) return;
      response.write(chunk.subarray(0, left));
      left -= chunk.length;
      if (left <= 0) setImmediate(cut);
    });
  });
  outgoing.on('error', cut);
  incoming.on('close', () => incoming.complete || outgoing.destroy());
  incoming.pipe(outgoing);
}
