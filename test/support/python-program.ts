import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { packageSource } from './python-worker.ts';

const run = promisify(execFile);

/** Runs a program that imports the package. @returns what it printed */
export async function python(code: string, env: Record<string, string> = {}, folder?: string): Promise<string> {
  const { stdout } = await run('python3', ['-B', '-W', 'error', '-c', code], {
    env: { PATH: process.env['PATH'], PYTHONPATH: packageSource, ...env },
    ...(folder === undefined ? {} : { cwd: folder }),
  });
  return stdout;
}
