import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { unprivileged } from './postgres-server.ts';
import { freePort } from './redis-server.ts';
import { testDatabaseUrl } from './servers.ts';

/** Whether PgBouncer can be started here. CI requires it. */
export function hasPgBouncer(): boolean {
  if (spawnSync('pgbouncer', ['--version'], unprivileged).status === 0) return true;
  if (process.env['CI'] === 'true') throw new Error('CI needs PgBouncer in the PATH. Install the package pgbouncer.');
  process.stderr.write('No pgbouncer in the PATH: the scenarios behind a pooler are skipped. Install it to run them.\n');
  return false;
}

/**
 * Starts a PgBouncer with default settings in front of the tests' Postgres. Stopped after the test.
 *
 * @param url URL of a database there
 * @param settings further lines of pgbouncer.ini
 * @returns the same URL through the pooler
 */
export async function startPgBouncer(url: string, settings: string[] = []): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'longhaul-pgbouncer-'));
  const port = await freePort();
  const { username, password, port: serverPort } = new URL(url);
  writeFileSync(join(folder, 'users.txt'), `"${username}" "${password}"\n`);
  writeFileSync(
    join(folder, 'pgbouncer.ini'),
    [
      '[databases]',
      `* = host=${new URL(testDatabaseUrl).hostname} port=${serverPort || 5432}`,
      '[pgbouncer]',
      'listen_addr = 127.0.0.1',
      `listen_port = ${port}`,
      'unix_socket_dir =',
      'auth_type = plain',
      `auth_file = ${join(folder, 'users.txt')}`,
      ...settings,
      '',
    ].join('\n'),
  );
  chmodSync(folder, 0o755);
  const child = spawn('pgbouncer', [join(folder, 'pgbouncer.ini')], { ...unprivileged, stdio: ['ignore', 'ignore', 'pipe'] });
  onTestFinished(async () => {
    const gone = once(child, 'exit');
    if (child.exitCode === null && child.kill('SIGKILL')) await gone;
    rmSync(folder, { recursive: true, force: true });
  });
  let log = '';
  await new Promise<void>((resolve, reject) => {
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      log += text;
      if (log.includes('process up')) resolve();
    });
    child.once('exit', () => reject(new Error(`pgbouncer ended before it served:\n${log}`)));
    child.once('error', reject);
  });
  return Object.assign(new URL(url), { hostname: '127.0.0.1', port: String(port) }).href;
}
