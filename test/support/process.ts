import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type pg from 'pg';
import { onTestFinished } from 'vitest';
import { copyDatabase } from './longhaul.ts';
import { queryDatabase } from './query-database.ts';
import { testDatabaseUrl, testRedisUrl } from './servers.ts';
import { onServer } from './template-servers.ts';

/** A real Longhaul process. After the test it is killed and waited for. */
export interface LonghaulProcess {
  /** Part of its workerId in attempts, after the machine's name. */
  pid: number;
  /** Its output so far. */
  stdout(): string;
  stderr(): string;
  /** Waits until standard output matches. Fails if the process exits first. */
  wrote(pattern: RegExp): Promise<RegExpExecArray>;
  kill(signal: NodeJS.Signals): void;
  /** Resolves when it has exited and all of its output was read. */
  ended: Promise<Ending>;
}

export interface Ending {
  code: number | null;
  signal: NodeJS.Signals | null;
}

/** A process that is ready. */
export interface ReadyProcess extends LonghaulProcess {
  url: string;
}

/** What the processes of one test share: a database, keys and a folder. Removed after the test. */
export interface Installation {
  adminKey: string;
  folder: string;
  databaseUrl: string;
  /** Configuration of each process. */
  env: Record<string, string>;
  /** Starts another process and waits until it is ready. `program`: the file `src/main.ts` of another version. */
  start(role: 'api' | 'worker', env?: Record<string, string>, program?: string): Promise<ReadyProcess>;
  query<Row = pg.QueryResultRow>(sql: string, parameters?: readonly unknown[]): Promise<Row[]>;
}

const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url));

/** Starts `src/main.ts` with only this environment; without a command it serves. */
export function spawnLonghaul(env: Record<string, string>, command: readonly string[] = [], program = main): LonghaulProcess {
  return spawnProgram(process.execPath, [program, ...command], env);
}

/** The same, with a terminal as its standard output. */
export function spawnOnTerminal(env: Record<string, string>): LonghaulProcess {
  return spawnProgram('python3', [fileURLToPath(new URL('terminal.py', import.meta.url)), process.execPath, main], env);
}

/** Starts a program with only this environment. */
export function spawnProgram(program: string, parameters: readonly string[], env: Record<string, string>): LonghaulProcess {
  const child = spawn(program, parameters, {
    env: { PATH: process.env['PATH'], PORT: '0', DRAIN_SECONDS: '0', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const { pid } = child;
  if (pid === undefined) throw new Error(`${program} could not be started.`);
  const output = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (text: string) => {
      output[name] += text;
    });
  }
  const ended = once(child, 'close').then((): Ending => ({ code: child.exitCode, signal: child.signalCode }));
  // Kill it if the test run is interrupted.
  const kill = () => void child.kill('SIGKILL');
  process.once('exit', kill);
  void ended.then(() => process.off('exit', kill));
  onTestFinished(async () => {
    kill();
    await ended;
  });

  return {
    pid,
    ended,
    stdout: () => output.stdout,
    stderr: () => output.stderr,
    kill: (signal) => void child.kill(signal),
    wrote: (pattern) =>
      new Promise((resolve, reject) => {
        const look = () => {
          const match = pattern.exec(output.stdout);
          if (match === null) return;
          child.stdout.off('data', look);
          resolve(match);
        };
        child.stdout.on('data', look);
        look();
        void ended.then(({ code, signal }) =>
          reject(new Error(`ended (${code ?? signal}) without writing ${pattern}:\n${output.stdout}${output.stderr}`)),
        );
      }),
  };
}

/** Starts a process and waits until it is ready. */
export async function startProcess(env: Record<string, string>, program = main): Promise<ReadyProcess> {
  const started = spawnLonghaul(env, [], program);
  const [, url = ''] = await started.wrote(/"url":"([^"]+)".*"msg":"ready"/);
  return { ...started, url };
}

/** Prepares an installation on Postgres and Redis, without starting processes. */
export async function prepareInstallation(env: Record<string, string> = {}): Promise<Installation> {
  return onDatabase(await copyDatabase(), env);
}

/** The same with an empty database, which is not migrated yet. */
export async function prepareEmptyInstallation(env: Record<string, string> = {}): Promise<Installation> {
  const name = `longhaul_test_${randomBytes(6).toString('hex')}`;
  await onServer(`CREATE DATABASE ${name}`);
  const url = new URL(testDatabaseUrl);
  url.pathname = name;
  return onDatabase({ url: url.href, drop: () => onServer(`DROP DATABASE ${name} WITH (FORCE)`) }, env);
}

/** A folder that is removed after the test. */
export async function testFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'longhaul-process-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

async function onDatabase(
  database: { url: string; drop: () => Promise<void> },
  env: Record<string, string>,
): Promise<Installation> {
  onTestFinished(() => database.drop());
  const folder = await testFolder();
  const adminKey = `lh_${randomBytes(32).toString('hex')}`;
  const shared = {
    DATABASE_URL: database.url,
    // Small, because these processes and other test files share the server's hundred connections.
    DATABASE_POOL_SIZE: '5',
    REDIS_URL: testRedisUrl,
    SECRET: randomBytes(32).toString('hex'),
    ADMIN_API_KEY: adminKey,
    DATA_DIR: folder,
    ARTIFACTS_DIR: join(folder, 'artifacts'),
    ...env,
  };
  return {
    adminKey,
    folder,
    databaseUrl: database.url,
    env: shared,
    start: (role, more = {}, program = main) => startProcess({ ...shared, ROLE: role, ...more }, program),
    query: (sql, parameters) => queryDatabase(database.url, sql, parameters),
  };
}
