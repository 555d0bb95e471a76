import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test, vi } from 'vitest';
import { lockDataDir } from '../../src/database/data-dir-lock.ts';
import { testFolder } from '../support/process.ts';

/*
 * Real npm, as its own process group: a terminal and some supervisors signal the whole group, others npm alone. npm passes
 * SIGTERM and SIGINT on and waits; of the others it dies.
 */

const root = fileURLToPath(new URL('../..', import.meta.url));

const endings = [
  { signal: 'SIGTERM', to: 'npm', ending: { code: 0, signal: null } },
  { signal: 'SIGINT', to: 'npm', ending: { code: 0, signal: null } },
  { signal: 'SIGHUP', to: 'npm', ending: { code: null, signal: 'SIGHUP' } },
  { signal: 'SIGKILL', to: 'npm', ending: { code: null, signal: 'SIGKILL' } },
  { signal: 'SIGTERM', to: 'its group', ending: { code: 0, signal: null } },
  { signal: 'SIGINT', to: 'its group', ending: { code: 0, signal: null } },
  { signal: 'SIGHUP', to: 'its group', ending: { code: null, signal: 'SIGHUP' } },
] as const;

test.for(['start', 'dev'].flatMap((script) => endings.map((ending) => ({ script, ...ending }))))(
  '$signal to $to ends npm run $script, and the server behind it in an orderly way',
  { timeout: 60_000 },
  async ({ script, signal, to, ending }) => {
    const folder = await testFolder();
    const npm = await startNpm(script, folder);
    expect(() => lockDataDir(folder)).toThrow('in use by another Longhaul process');
    process.kill(to === 'npm' ? npm.pid : -npm.pid, signal);
    expect(await npm.ended).toEqual(ending);
    await vi.waitFor(() => expect(isThere(-npm.pid)).toBe(false), { timeout: 20_000, interval: 20 });
    expect(npm.written()).toContain('"msg":"stopping"');
    expect(npm.written()).not.toContain('did not stop cleanly');
    // `node --watch` has lines of its own.
    if (script === 'start') for (const line of npm.written().trimEnd().split('\n')) expect(() => JSON.parse(line), line).not.toThrow();
    lockDataDir(folder).release();
  },
);

/** Starts `npm run --silent <script>` embedded, in a process group of its own, and waits until the server is ready. */
async function startNpm(script: string, folder: string) {
  const child = spawn('npm', ['run', '--silent', script], {
    cwd: root,
    detached: true,
    env: { PATH: process.env['PATH'], HOME: folder, PORT: '0', DATA_DIR: folder, ARTIFACTS_DIR: join(folder, 'artifacts') },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const { pid } = child;
  if (pid === undefined) throw new Error('npm could not be started.');
  const ended = once(child, 'exit').then(([code, signal]: unknown[]) => ({ code, signal }));
  // A run that is interrupted leaves no process behind.
  const kill = () => void (isThere(-pid) && process.kill(-pid, 'SIGKILL'));
  process.once('exit', kill);
  onTestFinished(async () => {
    kill();
    await ended;
    process.off('exit', kill);
  });
  let output = '';
  const ready = Promise.withResolvers<void>();
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
    if (output.includes('"msg":"ready"')) ready.resolve();
  });
  void ended.then(() => ready.reject(new Error(`npm ended before the server was ready:\n${output}`)));
  await ready.promise;
  return { pid, ended, written: () => output };
}

/** Whether there is such a process, or any of a group. */
function isThere(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
