import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { onTestFinished } from 'vitest';
import { CommitWatch, PublishWatch } from './commit-watch.ts';

/** A proxy that does what networks, poolers and failovers do. Closed after the test. */
export interface FaultProxy {
  /** To be used instead of the target's URL. */
  url: string;
  /** Connections made so far. */
  connections(): number;
  /** Everything takes so much longer, either way. */
  delay(milliseconds: number): void;
  /** Nothing passes, on new connections either; what was sent arrives once it is mended. */
  stall(): void;
  /** Nothing passes on existing connections any more, and neither side is told. New connections work. */
  mute(): void;
  /** Existing connections are cut, and so are new ones. */
  cut(): void;
  /** Of what the server commits (Redis: publishes), each nth is not answered: the connection is cut instead. */
  loseReplies(nth: number): void;
  /** Ends each of them, but no connection that was muted speaks again. */
  mend(): void;
}

interface Pair {
  client: Socket;
  server: Socket;
  muted: boolean;
}

/** @param target URL of a server: postgres, redis or http */
export async function createFaultProxy(target: string): Promise<FaultProxy> {
  const url = new URL(target);
  const isPostgres = url.protocol.startsWith('postgres');
  // The proxy reads the traffic, so it must not be encrypted.
  if (isPostgres) url.searchParams.set('sslmode', 'disable');
  const { hostname, port } = url;
  const open = new Set<Pair>();
  let connections = 0;
  let lag = 0;
  let refuses = false;
  let losesEach = Infinity;
  let commits = 0;
  /** Resolved unless it is stalled. */
  let flow = Promise.withResolvers<void>();
  flow.resolve();

  /** Passes what one side sends to the other, in order. */
  function pipe(pair: Pair, from: Socket, to: Socket, see: (bytes: Buffer) => Buffer | 'lost'): void {
    let last = Promise.resolve();
    const next = (then: () => void) => {
      last = inTurn(last, performance.now() + lag, then);
    };
    async function inTurn(before: Promise<void>, due: number, then: () => void): Promise<void> {
      await before;
      const left = due - performance.now();
      if (left > 0) await delay(left, undefined, { ref: false });
      await flow.promise;
      if (!pair.muted) then();
    }
    from.on('data', (bytes) => {
      const seen = see(bytes);
      if (seen === 'lost') end(pair);
      else if (seen.length > 0) next(() => void (to.destroyed || to.write(seen)));
    });
    from.on('error', () => undefined);
    from.on('close', () => next(() => end(pair)));
  }

  function end(pair: Pair): void {
    open.delete(pair);
    pair.client.destroy();
    pair.server.destroy();
  }

  const proxy = createServer((client) => {
    connections += 1;
    if (refuses) return void client.destroy();
    const pair = { client, server: connect({ host: hostname, port: Number(port) }), muted: false };
    open.add(pair);
    const watch = isPostgres ? new CommitWatch() : new PublishWatch();
    pipe(pair, client, pair.server, (bytes) => {
      watch.asked(bytes);
      return bytes;
    });
    pipe(pair, pair.server, client, (bytes) => {
      const { answer, commits: committed } = watch.answered(bytes);
      if (!committed || losesEach === Infinity) return answer;
      commits += 1;
      return commits % losesEach === 0 ? 'lost' : answer;
    });
  }).listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  onTestFinished(() => {
    flow.resolve();
    for (const pair of open) end(pair);
    proxy.close();
  });
  const address = proxy.address();
  if (address === null || typeof address === 'string') throw new Error('The proxy has no port.');
  url.host = `127.0.0.1:${address.port}`;

  return {
    url: url.href.replace(/\/$/, ''),
    connections: () => connections,
    delay(milliseconds) {
      lag = milliseconds;
    },
    stall() {
      flow = Promise.withResolvers();
    },
    mute() {
      for (const pair of open) pair.muted = true;
    },
    cut() {
      refuses = true;
      for (const pair of open) end(pair);
    },
    loseReplies(nth) {
      losesEach = nth;
    },
    mend() {
      lag = 0;
      refuses = false;
      losesEach = Infinity;
      flow.resolve();
    },
  };
}
