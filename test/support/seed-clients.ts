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
import type { JsonValue } from '../../src/json.ts';
import { testFolder } from './process.ts';

/** A sample from a seed. `replaced` lists replacements, above all of the base URL and the key. */
export interface Sample {
  name: string;
  replaced: Readonly<Record<string, string>>;
}

/** Called for each pause of a client, with the client's own unit of time. The pause ends when it resolves. */
export type Pause = (time: number) => Promise<unknown>;

/** The result of running a client. */
interface Ran {
  /** The printed lines. */
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

/** Runs a sample in JavaScript or TypeScript. `usage` is code to append. */
export async function runJavaScript(
  sample: Sample,
  { pause = never, usage = '' }: { pause?: Pause; usage?: string } = {},
): Promise<Ran & { result: JsonValue | undefined }> {
  const printed: string[] = [];
  // Resolve every host to this machine.
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
    // Share Error with the sample, so that `instanceof` works on what it throws.
    Error,
  });
  const code = stripTypeScriptTypes(await replacedText(sample));
  const result: JsonValue | undefined = await runInContext(`(async () => {\n${code}\n${usage}\n})()`, context);
  return { printed, result };
}

/** Runs a sample in Python. `job` is the sample's variable of this name. */
export async function runPython(sample: Sample, { pause = never }: { pause?: Pause } = {}): Promise<Ran & { job: JsonValue }> {
  const file = join(await testFolder(), sample.name);
  await writeFile(file, await replacedText(sample));
  // -B, so that imports leave no compiled copy in the folder.
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

/** Runs a shell sample and returns what curl received. */
export async function runCurl(sample: Sample, port: string): Promise<JsonValue> {
  const home = await testFolder();
  // Resolve every host to this machine.
  await writeFile(join(home, '.curlrc'), `resolve = "*:${port}:127.0.0.1"\nsilent\nshow-error\n`);
  const { stdout } = await promisify(execFile)('sh', ['-c', await replacedText(sample)], {
    env: { PATH: process.env['PATH'], HOME: home },
  });
  return JSON.parse(stdout);
}

function never(): Promise<never> {
  return Promise.reject(new Error('this client was not to wait'));
}
