import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';

/** A server that answers with bytes of the test's own, whatever HTTP thinks of them. Closed when its test is over. */
export interface RawSource {
  /** On `localhost`, without a path. */
  origin: string;
  /** The paths that were asked for, in their order. */
  asked: readonly string[];
}

/** @param answer called with each request's path and its connection, which is the test's to end */
export async function openRawSource(answer: (path: string, socket: Socket) => void): Promise<RawSource> {
  const asked: string[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    let request = '';
    socket.on('error', () => undefined).on('data', (chunk) => {
      request += chunk.toString('latin1');
      if (!request.includes('\r\n\r\n')) return;
      const path = request.split(' ')[1] ?? '';
      request = '';
      asked.push(path);
      answer(path, socket);
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('The source has no port.');
  return { asked, origin: `http://localhost:${address.port}` };
}
