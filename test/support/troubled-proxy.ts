import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import { onTestFinished } from 'vitest';

/** What happens to a call: it arrives, it is answered 503, its connection is cut, or it runs but its answer is lost. */
type Fate = 'arrives' | 'unavailable' | 'cut' | 'answer lost';

/** An unreliable proxy between a worker and Longhaul. Closed after the test. */
interface TroubledProxy {
  /** Known before anything listens there. */
  url: string;
  listen(): Promise<void>;
  /** Resolves when this many calls of the mutation have run since the start. */
  carriedOut(mutation: string, calls: number): Promise<void>;
  /** Each call so far: its mutation and its fate. */
  fates: readonly string[];
}

/**
 * @param target base URL of the API
 * @param fateOf called with the name of the mutation, and the number of the call to it, from 1
 */
export async function createTroubledProxy(
  target: string,
  fateOf: (mutation: string, call: number) => Fate = () => 'arrives',
): Promise<TroubledProxy> {
  const calls = new Map<string, number>();
  const carriedOut = new Map<string, number>();
  const fates: string[] = [];
  const server = createServer((request, response) => {
    // A killed worker leaves its calls behind.
    pass(request, response).catch(() => response.destroy());
  });

  async function pass(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await text(request);
    const mutation = /\{ (\w+)\(input/.exec(body)?.[1] ?? 'unknown';
    const call = (calls.get(mutation) ?? 0) + 1;
    calls.set(mutation, call);
    const fate = fateOf(mutation, call);
    fates.push(`${mutation} ${fate}`);
    if (fate === 'cut') return void response.destroy();
    if (fate === 'unavailable') return void response.writeHead(503).end('<h1>Be right back</h1>');
    const gone = new AbortController();
    response.once('close', () => gone.abort());
    const { authorization = '' } = request.headers;
    const answer = await fetch(`${target}${request.url}`, {
      method: 'POST',
      headers: { authorization, 'content-type': 'application/json' },
      body,
      signal: gone.signal,
    });
    const said = await answer.text();
    carriedOut.set(mutation, (carriedOut.get(mutation) ?? 0) + 1);
    server.emit('carried out');
    if (fate === 'answer lost') return void response.destroy();
    response.writeHead(answer.status, { 'content-type': answer.headers.get('content-type') ?? '' }).end(said);
  }

  const port = await freePort();
  onTestFinished(async () => {
    if (!server.listening) return;
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  });
  return {
    url: `http://127.0.0.1:${port}`,
    fates,
    listen: async () => {
      server.listen(port, '127.0.0.1');
      await once(server, 'listening');
    },
    carriedOut: async (mutation, count) => {
      while ((carriedOut.get(mutation) ?? 0) < count) await once(server, 'carried out');
    },
  };
}

/** A free port. It stays free for a while, because the system hands out others first. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('No free port was found.');
  return address.port;
}
