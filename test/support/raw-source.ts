import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';

/** A server that answers with raw bytes, even if they are not valid HTTP. Closed after the test. */
interface RawSource {
  /** Base URL on `localhost`, without a path. */
  origin: string;
  /** The requested paths, in order. */
  asked: readonly string[];
}

/** @param answer called with the path and connection of each request; it must close the connection */
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
