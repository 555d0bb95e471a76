import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';

/** A worker in its own process. After the test it is killed and waited for. */
export interface PythonWorker {
  /** Waits until standard output contains this text. Fails if the process exits first. */
  wrote(text: string): Promise<void>;
  /** All its output so far. */
  output(): string;
  /** Writes a line to its standard input. */
  tell(line: string): void;
  kill(signal: NodeJS.Signals): void;
  /** Resolves to its exit code, when it has exited and all of its output was read. */
  ended: Promise<number | null>;
}

/** The published examples, and the same with handlers that wait for the test. */
export type Script =
  | 'examples/worker.py'
  | 'examples/protocol_worker.py'
  | 'test/support/package_worker.py'
  | 'test/support/soaked_worker.py'
  | 'test/support/waiting_worker.py'
  | 'test/support/recasting_worker.py';

/** Whether Python is installed. CI requires it: without it, tests that need it fail there. */
export function hasPython(): boolean {
  if (spawnSync('python3', ['--version']).status === 0) return true;
  if (process.env['CI'] === 'true') throw new Error('CI needs python3 (3.10 or later) in the PATH. Install it.');
  process.stderr.write('No python3 in the PATH: the scenarios of the worker in Python are skipped. Install it to run them.\n');
  return false;
}

/** Where the package is, so that programs import it as it is. */
export const packageSource = fileURLToPath(new URL('../../clients/python/src', import.meta.url));

/** Starts a worker with only these environment variables. */
export function startPythonWorker(script: Script, env: Record<string, string>): PythonWorker {
  const path = fileURLToPath(new URL(`../../${script}`, import.meta.url));
  // -B, so that the imported file leaves no compiled copy in the folder.
  const child = spawn('python3', ['-B', path], { env: { PATH: process.env['PATH'], PYTHONPATH: packageSource, CONCURRENCY: '1', ...env } });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  // Ignore a write to a process that has just exited.
  child.stdin.on('error', () => undefined);
  const ended = once(child, 'close').then(() => child.exitCode);
  // Kill it if the test run is interrupted.
  const kill = () => void child.kill('SIGKILL');
  process.once('exit', kill);
  void ended.then(() => process.off('exit', kill));
  onTestFinished(async () => {
    kill();
    await ended;
  });
  return {
    wrote: (text) =>
      new Promise((resolve, reject) => {
        const look = () => {
          if (!stdout.includes(text)) return;
          child.stdout.off('data', look);
          resolve();
        };
        child.stdout.on('data', look);
        look();
        void ended.then((code) => reject(new Error(`ended (${code}) without writing “${text}”:\n${stdout}${stderr}`)));
      }),
    output: () => stdout + stderr,
    tell: (line) => void child.stdin.write(`${line}\n`),
    kill: (signal) => void child.kill(signal),
    ended,
  };
}
