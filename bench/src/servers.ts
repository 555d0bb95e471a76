import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { cpuBetween, cpuOf, postgresCpu } from './cpu.ts';
import { type Installation, poolSize } from './installation.ts';
import { type Exchange, exchangeOf, type Load, runLoad } from './load.ts';
import type { Sample } from './measure.ts';
import type { Stops } from './stops.ts';

/** A contestant in a separate process. */
export interface Server {
  pid: number;
  port: number;
  stop(): Promise<void>;
}

const longhaulMain = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
const mercuriusMain = fileURLToPath(new URL('mercurius.ts', import.meta.url));
const fastifyMain = fileURLToPath(new URL('fastify.ts', import.meta.url));
const rawMain = fileURLToPath(new URL('live/raw-ws.ts', import.meta.url));
const apolloMain = fileURLToPath(new URL('live/apollo.ts', import.meta.url));

/** Starts Longhaul as it is deployed, from `src/main.ts`. */
export function startLonghaul({ env, nodeOptions }: Installation, stops: Stops): Promise<Server> {
  return start([...nodeOptions, longhaulMain], env, stops);
}

/** Starts Mercurius with its JIT and plain `pg`, on the database that Longhaul has migrated. */
export function startMercurius({ databaseUrl }: Installation, stops: Stops): Promise<Server> {
  const env = { NODE_ENV: 'production', DATABASE_URL: databaseUrl, DATABASE_POOL_SIZE: String(poolSize) };
  return start([mercuriusMain], env, stops);
}

/** Starts a Fastify route with plain `pg`, on the database that Longhaul has migrated. */
export function startFastify({ databaseUrl }: Installation, stops: Stops): Promise<Server> {
  const env = { NODE_ENV: 'production', DATABASE_URL: databaseUrl, DATABASE_POOL_SIZE: String(poolSize) };
  return start([fastifyMain], env, stops);
}

/** Starts a bare `ws` server, which broadcasts on request. */
export function startRaw(stops: Stops): Promise<Server> {
  return start([rawMain], { NODE_ENV: 'production' }, stops);
}

/** Starts Apollo Server with graphql-ws and graphql-redis-subscriptions. */
export function startApollo({ redisUrl }: Installation, stops: Stops): Promise<Server> {
  return start([apolloMain], { NODE_ENV: 'production', REDIS_URL: redisUrl }, stops);
}

async function start(command: string[], env: Record<string, string>, stops: Stops): Promise<Server> {
  const child = spawn(process.execPath, command, {
    env: { PATH: process.env['PATH'], ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const closed = once(child, 'close');
  const stop = async () => {
    child.kill('SIGTERM');
    await closed;
  };
  stops.push(stop);
  const kill = () => void child.kill('SIGKILL');
  process.once('exit', kill);
  void closed.then(() => process.off('exit', kill));
  const port = await new Promise<number>((resolve, reject) => {
    let output = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      output += text;
      const found = /"url":"http:\/\/[^":]+:(\d+)"/.exec(output)?.[1];
      if (found !== undefined) resolve(Number(found));
    });
    void closed.then(() => reject(new Error(`a server ended before it was ready:\n${output}`)));
  });
  if (child.pid === undefined) throw new Error('a server has no process');
  return { pid: child.pid, port, stop };
}

/** Like `exchangeRound`, for a GraphQL load. */
export function loadRound(
  installation: Installation,
  server: Server,
  load: Load,
  effort: { seconds: number; perAnswer?: number },
): Promise<Sample> {
  return exchangeRound(installation, server, exchangeOf(load, installation.key), effort);
}

/**
 * Measures one round of load on a server.
 *
 * @param perAnswer how many units of the comparison one answer counts for
 */
export async function exchangeRound(
  installation: Installation,
  { pid, port }: Server,
  exchange: Exchange,
  { seconds, perAnswer = 1 }: { seconds: number; perAnswer?: number },
): Promise<Sample> {
  const [cpu, backends] = [await cpuOf(pid), await postgresCpu(installation)];
  const done = await runLoad(port, exchange, seconds);
  const [cpuAfter, backendsAfter] = [await cpuOf(pid), await postgresCpu(installation)];
  const count = done.answers * perAnswer;
  const postgres = cpuBetween(backends, backendsAfter);
  return {
    value: count / done.seconds,
    count,
    cpu: cpu === null || cpuAfter === null ? null : (cpuAfter - cpu) / count,
    postgresCpu: postgres === null ? null : postgres / count,
  };
}
