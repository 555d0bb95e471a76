import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';

/** A Redis for the test, which can be stopped, restarted on the same port, and frozen. */
export interface RedisServer {
  url: string;
  port: number;
  /** Resolves when it accepts commands. */
  start(): Promise<void>;
  /** Kills it, frozen or not. Resolves when it has exited. */
  stop(): Promise<void>;
  /** Freezes it: its sockets stay open and accept connections, but nothing is answered. */
  freeze(): void;
  thaw(): void;
  running(): boolean;
}

/** Whether redis-server can be started here. CI requires it: without it, tests that need it fail there. */
export function hasRedisServer(): boolean {
  if (spawnSync('redis-server', ['--version']).status === 0) return true;
  if (process.env['CI'] === 'true') {
    throw new Error('CI needs a redis-server in the PATH. Install the package redis-server.');
  }
  process.stderr.write('No redis-server in the PATH: the scenarios on Redis are skipped. Install it to run them.\n');
  return false;
}

/** A server without persistence on a free port. It is not started yet. */
export async function createRedisServer(...flags: string[]): Promise<RedisServer> {
  const port = await freePort();
  let child: ChildProcess | undefined;
  const kill = () => child?.kill('SIGKILL');

  return {
    url: `redis://127.0.0.1:${port}`,
    port,
    async start() {
      const persistence = ['--save', '', '--appendonly', 'no'];
      const server = spawn('redis-server', ['--port', String(port), '--bind', '127.0.0.1', ...persistence, ...flags], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      child = server;
      process.once('exit', kill);
      await new Promise<void>((resolve, reject) => {
        // Read its output, or Redis would block on a full pipe.
        server.stdout.on('data', (text) => String(text).includes('Ready to accept connections') && resolve());
        server.once('error', reject);
        server.once('exit', () => reject(new Error('redis-server ended before it served. Run it by hand to see why.')));
      });
    },
    async stop() {
      process.off('exit', kill);
      if (!child || child.exitCode !== null || child.signalCode !== null) return;
      const gone = once(child, 'exit');
      kill();
      await gone;
    },
    freeze: () => void child?.kill('SIGSTOP'),
    thaw: () => void child?.kill('SIGCONT'),
    running: () => child !== undefined && child.exitCode === null && child.signalCode === null,
  };
}

interface SilentServer {
  /** Resolves when this many connections were accepted. */
  accepted(count: number): Promise<void>;
  close(): Promise<void>;
}

/** A server that accepts connections but never answers. */
export async function listenInSilence(port: number): Promise<SilentServer> {
  const sockets: Socket[] = [];
  const server = createServer((socket) => {
    // Read, or the end of the other side would not be noticed.
    socket.resume().on('error', () => {});
    sockets.push(socket);
  }).listen(port, '127.0.0.1');
  await once(server, 'listening');
  return {
    async accepted(count) {
      while (sockets.length < count) await once(server, 'connection');
    },
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

const given = new Set<number>();

/**
 * A free port that nobody else gets. Each Vitest worker has its own range and never hands out a port twice, so a stopped
 * server can start again on its port. All ranges are below the ports that Linux uses for outgoing connections.
 */
export async function freePort(): Promise<number> {
  const range = (Number(process.env['VITEST_POOL_ID'] ?? 1) - 1) % 11;
  for (;;) {
    const port = 10_000 + range * 2_000 + randomInt(2_000);
    if (given.has(port)) continue;
    given.add(port);
    const server = createServer().listen(port, '127.0.0.1');
    try {
      await once(server, 'listening');
    } catch {
      continue;
    }
    server.close();
    await once(server, 'close');
    return port;
  }
}
