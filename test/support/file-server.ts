import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import { onTestFinished } from 'vitest';

/** A source of downloads that holds back the end of each file until `release`. Closed after the test. */
interface FileServer {
  /** The URL of a file. Needs OUTBOUND_ALLOW=127.0.0.1. */
  url(name: string): string;
  /** The requested paths, in order. */
  requested: readonly string[];
  /** Resolves when this many files are half sent. */
  held(count: number): Promise<void>;
  /** Sends the held files to their end. Later files are not held. */
  release(): void;
}

const content = Buffer.alloc(2_000, 'longhaul ');

export async function startFileServer(): Promise<FileServer> {
  const requested: string[] = [];
  const holding = new Set<ServerResponse>();
  let released = false;
  let waiting: { count: number; resolve: () => void }[] = [];
  const server = createServer((request, response) => {
    requested.push(request.url ?? '');
    response.writeHead(200, { 'content-type': 'text/plain', 'content-length': content.length });
    if (released) {
      response.end(content);
      return;
    }
    response.write(content.subarray(0, content.length / 2));
    holding.add(response);
    response.once('close', () => holding.delete(response));
    const [met, unmet] = [waiting.filter(isMet), waiting.filter((wait) => !isMet(wait))];
    waiting = unmet;
    for (const { resolve } of met) resolve();
  });
  const isMet = ({ count }: { count: number }) => holding.size >= count;
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return {
    requested,
    url: (name) => `http://127.0.0.1:${port}/${name}`,
    held: (count) =>
      new Promise((resolve) => {
        if (isMet({ count })) resolve();
        else waiting.push({ count, resolve });
      }),
    release: () => {
      released = true;
      for (const response of holding) response.end(content.subarray(content.length / 2));
    },
  };
}
