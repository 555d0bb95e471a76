import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, vi } from 'vitest';
import { freePort } from './redis-server.ts';

const configuration = fileURLToPath(new URL('../../deploy/haproxy.cfg', import.meta.url));

/** Whether HAProxy can be started here. CI requires it. */
export function hasHaproxy(): boolean {
  if (spawnSync('haproxy', ['-v']).status === 0) return true;
  if (process.env['CI'] === 'true') throw new Error('CI needs HAProxy in the PATH. Install the package haproxy.');
  process.stderr.write('No haproxy in the PATH: the scenarios behind a load balancer are skipped. Install it to run them.\n');
  return false;
}

/** HAProxy with `deploy/haproxy.cfg`, in front of two processes. Stopped after the test. */
interface Haproxy {
  url: string;
  /** Where the two processes have to listen. */
  ports: readonly [number, number];
  /** Resolves when it sends calls to both. */
  sees(status: 'UP' | 'DOWN', index: 0 | 1): Promise<void>;
}

export async function startHaproxy(): Promise<Haproxy> {
  const [own, stats, first, second] = [await freePort(), await freePort(), await freePort(), await freePort()];
  const child = spawn('haproxy', ['-db', '-f', configuration], {
    env: {
      PATH: process.env['PATH'],
      BIND: `127.0.0.1:${own}`,
      STATS: `127.0.0.1:${stats}`,
      API1: `127.0.0.1:${first}`,
      API2: `127.0.0.1:${second}`,
    },
    stdio: ['ignore', 'ignore', 'ignore'],
  });
  const gone = once(child, 'exit');
  onTestFinished(async () => {
    child.kill('SIGKILL');
    await gone;
  });
  const statusOf = async (index: 0 | 1) => {
    const table = await (await fetch(`http://127.0.0.1:${stats}/;csv`)).text();
    const row = table.split('\n').find((line) => line.startsWith(`apis,api${index + 1},`));
    return row?.split(',')[table.split('\n')[0]?.split(',').indexOf('status') ?? -1];
  };
  const sees = (status: 'UP' | 'DOWN', index: 0 | 1) =>
    vi.waitFor(async () => expect(await statusOf(index)).toMatch(new RegExp(`^${status}$`)), { timeout: 30_000, interval: 100 });
  return { url: `http://127.0.0.1:${own}`, ports: [first, second], sees };
}
