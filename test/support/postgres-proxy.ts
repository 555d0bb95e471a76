import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';

/** What happens to a statement: it passes, it is lost before the server, its answer is lost, or it is held for ever. */
export type StatementFate = 'passes' | 'request lost' | 'answer lost' | 'held';

/** A proxy to Postgres that loses chosen statements, together with their connection. Closed after the test. */
interface PostgresProxy {
  /** To be used instead of the database's URL. */
  url: string;
  /** What happened to the chosen statements, in order. */
  fates: readonly StatementFate[];
  /** Resolves when this many chosen statements were handled. If an answer is to be lost, the server has sent it by then. */
  met(count: number): Promise<void>;
}

/** ReadyForQuery outside a transaction: everything before it is committed. */
const readyForQuery = Buffer.from([0x5a, 0, 0, 0, 5, 0x49]);

/**
 * @param target the database's URL
 * @param marker text that only the chosen statements or their parameters contain
 * @param fateOf called for each of them, with its number from 1
 */
export async function createPostgresProxy(
  target: string,
  marker: string,
  fateOf: (statement: number) => StatementFate,
): Promise<PostgresProxy> {
  const { hostname, port } = new URL(target);
  const fates: StatementFate[] = [];
  const sockets = new Set<Socket>();
  let met = 0;
  let waiting: { count: number; resolve: () => void }[] = [];
  const meet = () => {
    met += 1;
    for (const { resolve } of waiting.filter(({ count }) => count <= met)) resolve();
    waiting = waiting.filter(({ count }) => count > met);
  };
  const proxy = createServer((client) => {
    const server = connect({ host: hostname, port: Number(port) });
    const cut = () => {
      client.destroy();
      server.destroy();
    };
    for (const socket of [client, server]) {
      sockets.add(socket);
      socket.on('error', cut).on('close', cut);
    }
    let losesAnswer = false;
    client.on('data', (bytes) => {
      const fate = bytes.includes(marker) ? fateOf(fates.length + 1) : 'passes';
      if (bytes.includes(marker)) fates.push(fate);
      if (fate === 'request lost') cut();
      losesAnswer = fate === 'answer lost';
      if (fate === 'passes' || losesAnswer) server.write(bytes);
      else meet();
    });
    server.on('data', (bytes) => {
      if (!losesAnswer) {
        client.write(bytes);
      } else if (bytes.subarray(-readyForQuery.length).equals(readyForQuery)) {
        meet();
        cut();
      }
    });
  }).listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    proxy.close();
  });
  const address = proxy.address();
  if (address === null || typeof address === 'string') throw new Error('The proxy has no port.');
  const url = new URL(target);
  url.host = `127.0.0.1:${address.port}`;
  // The proxy reads the traffic, so it must not be encrypted.
  url.searchParams.set('sslmode', 'disable');
  return {
    url: url.href,
    fates,
    met: (count) => new Promise((resolve) => (met >= count ? resolve() : waiting.push({ count, resolve }))),
  };
}
