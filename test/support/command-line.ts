import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';
import type { Longhaul } from './longhaul.ts';
import { Tenant } from './domain.ts';
import { testFolder } from './process.ts';

/** The program itself, which any Node may run. */
export const launcher = fileURLToPath(new URL('../../src/launch.js', import.meta.url));
const terminal = fileURLToPath(new URL('console.py', import.meta.url));

/** A command that ended. */
interface Ran {
  code: number | null;
  stdout: string;
  stderr: string;
}

/** A command that runs. After the test it is killed and waited for. */
export interface Running {
  ended: Promise<Ran>;
  /** What it wrote so far; on a terminal all of it is in `stdout`. */
  written(): { stdout: string; stderr: string };
  /** Waits until either stream matches. Fails if it ends first. */
  wrote(pattern: RegExp): Promise<RegExpExecArray>;
  type(text: string): void;
  kill(signal: NodeJS.Signals): void;
  /** Reads its standard output no more, as `head` does that has enough. */
  leave(): void;
}

export interface Asked {
  env?: Record<string, string>;
  /** On standard input, which ends after it; on a terminal use `type`. */
  stdin?: string;
  /** On a terminal: of 24 rows and 100 columns where it does not say. */
  onTerminal?: boolean | { rows?: number; columns?: number };
  /** The program that runs `launch.js`. */
  node?: string;
}

/** Somebody who types commands, with a folder of their own for contexts, and what the environment says. */
export class CommandLine {
  readonly folder: string;
  readonly #env: Record<string, string>;

  private constructor(folder: string, env: Record<string, string>) {
    this.folder = folder;
    this.#env = env;
  }

  static async with(env: Record<string, string> = {}): Promise<CommandLine> {
    return new CommandLine(await testFolder(), env);
  }

  start(parameters: readonly string[], { env = {}, stdin, onTerminal = false, node = process.execPath }: Asked = {}): Running {
    const { rows = 24, columns = 100 } = typeof onTerminal === 'object' ? onTerminal : {};
    const [program = node, ...before] = onTerminal === false ? [node] : ['python3', terminal, String(rows), String(columns), node];
    const child = spawn(program, [...before, launcher, ...parameters], {
      env: { PATH: process.env['PATH'], HOME: this.folder, XDG_CONFIG_HOME: `${this.folder}/config`, LANG: 'C.UTF-8', TERM: 'xterm', ...this.#env, ...env },
      stdio: 'pipe',
    });
    const output = { stdout: '', stderr: '' };
    for (const name of ['stdout', 'stderr'] as const) child[name].setEncoding('utf8').on('data', (text: string) => (output[name] += text));
    // It may end without having read it.
    child.stdin.on('error', () => {});
    if (onTerminal === false) child.stdin.end(stdin ?? '');
    const ended = once(child, 'close').then(() => ({ code: child.exitCode, ...output }));
    onTestFinished(async () => {
      child.kill('SIGKILL');
      await ended;
    });
    return {
      ended,
      written: () => ({ ...output }),
      type: (text) => void child.stdin.write(text),
      kill: (signal) => void child.kill(signal),
      leave: () => void child.stdout.destroy(),
      wrote: (pattern) =>
        new Promise((resolve, reject) => {
          const look = () => {
            const match = pattern.exec(output.stdout) ?? pattern.exec(output.stderr);
            if (match !== null) resolve(match);
          };
          child.stdout.on('data', look);
          child.stderr.on('data', look);
          look();
          void ended.then(({ code, stdout, stderr }) => reject(new Error(`ended (${code}) without writing ${pattern}:\n${stdout}${stderr}`)));
        }),
    };
  }

  run(parameters: readonly string[], asked: Asked = {}): Promise<Ran> {
    return this.start(parameters, asked).ended;
  }
}

/** Somebody with a key of a workspace of their own, and that workspace's worker. */
export async function commandUser(longhaul: Longhaul): Promise<{ cli: CommandLine; tenant: Tenant; key: string }> {
  const workspace = await longhaul.workspace();
  const key = await workspace.key();
  return { cli: await CommandLine.with({ LONGHAUL_URL: longhaul.url, LONGHAUL_KEY: key }), tenant: Tenant.of(longhaul, workspace.id), key };
}
