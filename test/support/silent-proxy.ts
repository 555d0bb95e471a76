import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';

/** A proxy that can go silent, as a dead network does. Closed after the test. */
export interface SilentProxy {
  /** To be used instead of the target's URL. */
  url: string;
  /** Passes nothing on existing connections, without telling either side. New connections work. */
  fallSilent(): void;
  /** Connections made so far. */
  connections(): number;
}

export async function createSilentProxy(target: string): Promise<SilentProxy> {
  const { hostname, port } = new URL(target);
  const open = new Set<{ client: Socket; server: Socket }>();
  let connections = 0;
  const proxy = createServer((client) => {
    connections += 1;
    const server = connect({ host: hostname, port: Number(port) });
    const pair = { client, server };
    open.add(pair);
    for (const socket of [client, server]) socket.on('error', () => undefined);
    client.pipe(server).pipe(client);
  }).listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  onTestFinished(() => {
    for (const { client, server } of open) {
      client.destroy();
      server.destroy();
    }
    proxy.close();
  });
  const address = proxy.address();
  if (address === null || typeof address === 'string') throw new Error('The proxy has no port.');
  const url = new URL(target);
  url.host = `127.0.0.1:${address.port}`;
  return {
    url: url.href.replace(/\/$/, ''),
    connections: () => connections,
    fallSilent() {
      for (const { client, server } of open) {
        client.unpipe(server);
        server.unpipe(client);
        // Read and drop what is sent.
        client.resume();
        server.resume();
      }
    },
  };
}
