import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import type { TestContext } from 'vitest';

const root = fileURLToPath(new URL('../../', import.meta.url));

/** What the conformance kit has said of a worker. */
interface Judgement {
  code: number | null;
  output: string;
  /** Names of the checks with this verdict. */
  named(verdict: 'pass' | 'FAIL' | 'not used' | 'not judged'): string[];
}

/** Runs the conformance kit from the root of the repository. */
export async function judged({ onTestFinished }: Pick<TestContext, 'onTestFinished'>, args: readonly string[], env: Record<string, string> = {}): Promise<Judgement> {
  const child = spawn(process.execPath, ['clients/conformance/main.ts', ...args], { cwd: root, env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
  const ended = once(child, 'close');
  // It ends the worker itself.
  onTestFinished(async () => {
    child.kill('SIGTERM');
    await ended;
  });
  const [out, err] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
  const lines = out.split('\n').map((line) => /^(pass|FAIL|not used|not judged) +([\w-]+) /.exec(line));
  return { code: child.exitCode, output: out + err, named: (verdict) => lines.flatMap((line) => (line?.[1] === verdict ? [line[2] ?? ''] : [])) };
}
