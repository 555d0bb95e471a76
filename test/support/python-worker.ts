import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';

/** A worker in a process of its own. Killed, and waited for, when its test is over. */
export interface PythonWorker {
  /** Waits until the standard output has this text; fails where the process ends before. */
  wrote(text: string): Promise<void>;
  /** Everything that it has written so far. */
  output(): string;
  /** Writes a line to its standard input. */
  tell(line: string): void;
  kill(signal: NodeJS.Signals): void;
  /** Its exit code, when it has ended and all of its output was read. */
  ended: Promise<number | null>;
}

/** The one that readers start from, and the same with handlers that wait for a test. */
export type Script = 'examples/worker.py' | 'test/support/waiting_worker.py';

/** Whether there is a Python. On CI there has to be: without one the tests that need it fail. */
export function hasPython(): boolean {
  if (spawnSync('python3', ['--version']).status === 0) return true;
  if (process.env['CI'] === 'true') throw new Error('CI needs python3 (3.9 or later) in the PATH. Install it.');
  process.stderr.write('No python3 in the PATH: the scenarios of the worker in Python are skipped. Install it to run them.\n');
  return false;
}

/** Starts one with these variables and no others. */
export function startPythonWorker(script: Script, env: Record<string, string>): PythonWorker {
  const path = fileURLToPath(new URL(`../../${script}`, import.meta.url));
  // -B: the file that it imports leaves no compiled copy in the folder.
  const child = spawn('python3', ['-B', path], { env: { PATH: process.env['PATH'], CONCURRENCY: '1', ...env } });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  // A line for a process that has just ended.
  child.stdin.on('error', () => undefined);
  const ended = once(child, 'close').then(() => child.exitCode);
  // A run that is interrupted leaves no process behind.
  const kill = () => void child.kill('SIGKILL');
  process.once('exit', kill);
  onTestFinished(async () => {
    kill();
    await ended;
    process.off('exit', kill);
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
