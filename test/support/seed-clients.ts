import { execFile, spawn } from 'node:child_process';
import { lookup } from 'node:dns';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { stripTypeScriptTypes } from 'node:module';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { createContext, runInContext } from 'node:vm';
import { onTestFinished } from 'vitest';
import { Agent, fetch as undiciFetch } from 'undici';
import type { JsonValue } from '../../src/jobs/model/job.ts';
import { testFolder } from './process.ts';

/** A sample as its seed has it; `replaced`: what takes the place of what, the base URL and the key above all. */
export interface Sample {
  name: string;
  replaced: Readonly<Record<string, string>>;
}

/** Where clients are: each pause of theirs, in the unit that they name it in, ends when this resolves. */
export type Pause = (time: number) => Promise<unknown>;

/** What a client did. */
export interface Ran {
  /** Lines that it printed. */
  printed: string[];
}

const folder = new URL('./seed-clients/', import.meta.url);

export async function sampleText(name: string): Promise<string> {
  return readFile(new URL(`${name}.sample`, folder), 'utf8');
}

async function replacedText({ name, replaced }: Sample): Promise<string> {
  let code = await sampleText(name);
  for (const [from, to] of Object.entries(replaced)) {
    if (!code.includes(from)) throw new Error(`${name} has no ${from} in it.`);
    code = code.replaceAll(from, to);
  }
  return code;
}

/** A sample in JavaScript or TypeScript; `usage` is code that stands after it. */
export async function runJavaScript(
  sample: Sample,
  { pause = never, usage = '' }: { pause?: Pause; usage?: string } = {},
): Promise<Ran & { result: JsonValue | undefined }> {
  const printed: string[] = [];
  // Every host is this machine.
  const dispatcher = new Agent({ connect: { lookup: (_host, options, found) => lookup('127.0.0.1', options, found) } });
  onTestFinished(() => dispatcher.close());
  let now = Date.now();
  const context = createContext({
    fetch: (url: string, options: object) => undiciFetch(url, { ...options, dispatcher }),
    console: { log: (...parts: unknown[]) => void printed.push(parts.join(' ')) },
    Date: { now: () => now },
    setTimeout: (resume: () => void, milliseconds: number) => {
      now += milliseconds;
      void pause(milliseconds).then(resume);
    },
    // Its errors are ours: what it throws is looked at here.
    Error,
  });
  const code = stripTypeScriptTypes(await replacedText(sample));
  const result: JsonValue | undefined = await runInContext(`(async () => {\n${code}\n${usage}\n})()`, context);
  return { printed, result };
}

/** A sample in Python; `job` is its variable of this name. */
export async function runPython(sample: Sample, { pause = never }: { pause?: Pause } = {}): Promise<Ran & { job: JsonValue }> {
  const file = join(await testFolder(), sample.name);
  await writeFile(file, await replacedText(sample));
  // -B: what it imports leaves no compiled copy in the folder.
  const python = spawn('python3', ['-B', fileURLToPath(new URL('run.py', folder)), file], { env: { PATH: process.env['PATH'] } });
  onTestFinished(() => void python.kill('SIGKILL'));
  const closed = once(python, 'close');
  const output = text(python.stdout);
  const errors: string[] = [];
  for await (const line of createInterface(python.stderr)) {
    const [, seconds] = /^sleep (\d+)$/.exec(line) ?? [];
    if (seconds === undefined) errors.push(line);
    else await pause(Number(seconds)).then(() => python.stdin.write('\n'));
  }
  await closed;
  if (python.exitCode !== 0) throw new Error(errors.join('\n'));
  const printed = (await output).trimEnd().split('\n');
  return { job: JSON.parse(printed.pop() ?? 'null'), printed };
}

/** A sample for the shell: what curl got. */
export async function runCurl(sample: Sample, port: string): Promise<JsonValue> {
  const home = await testFolder();
  // Every host is this machine.
  await writeFile(join(home, '.curlrc'), `resolve = "*:${port}:127.0.0.1"\nsilent\nshow-error\n`);
  const { stdout } = await promisify(execFile)('sh', ['-c', await replacedText(sample)], {
    env: { PATH: process.env['PATH'], HOME: home },
  });
  return JSON.parse(stdout);
}

function never(): Promise<never> {
  return Promise.reject(new Error('this client was not to wait'));
}
