import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';

/** What becomes of a statement: it passes; it is lost on its way there; its answer is; it never gets anywhere. */
export type StatementFate = 'passes' | 'request lost' | 'answer lost' | 'held';

/** A way to Postgres on which chosen statements get lost, with their connection. Closed when its test is over. */
export interface PostgresProxy {
  /** In place of the database's own. */
  url: string;
  /** What became of the chosen statements, in their order. */
  fates: readonly StatementFate[];
  /** Resolves when so many of the chosen statements have met their fate: an answer that is lost was waited for. */
  met(count: number): Promise<void>;
}

/** ReadyForQuery, outside of a transaction: what came before it is committed. */
const readyForQuery = Buffer.from([0x5a, 0, 0, 0, 5, 0x49]);

/**
 * @param target the database's URL
 * @param marker text that only the chosen statements have in them or in their parameters
 * @param fateOf asked for each of them, with its number from 1
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
  // It reads what passes.
  url.searchParams.set('sslmode', 'disable');
  return {
    url: url.href,
    fates,
    met: (count) => new Promise((resolve) => (met >= count ? resolve() : waiting.push({ count, resolve }))),
  };
}
