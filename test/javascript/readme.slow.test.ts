import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { compileFunction } from 'node:vm';
import * as apollo from '@apollo/client';
import * as urql from '@urql/core';
import * as relay from 'relay-runtime';
import { afterAll, beforeAll, expect, test } from 'vitest';
import * as zod from 'zod';
import * as apolloEntry from '../../clients/js/src/apollo/index.ts';
import * as exported from '../../clients/js/src/index.ts';
import * as testing from '../../clients/js/src/testing/index.ts';
import * as urqlEntry from '../../clients/js/src/urql/index.ts';
import * as working from '../../clients/js/src/worker/index.ts';
import { type Longhaul, startLonghaul } from '../support/longhaul.ts';
import { packClient } from '../support/packed-client.ts';
import { compileRelay } from '../support/relay.ts';

const run = promisify(execFile);
const compiler = createRequire(import.meta.url).resolve('typescript/package.json').replace('package.json', 'bin/tsc');
const page = readFileSync(new URL('../../clients/js/README.md', import.meta.url), 'utf8');
const [, front = ''] = /^## From JavaScript\n(.*?)^## /ms.exec(readFileSync(new URL('../../README.md', import.meta.url), 'utf8')) ?? [];
const blocks = [...(front + page).matchAll(/^```(\w+)\n(.*?)^```$/gms)].map(([, language = '', code = '']) => ({ language, code }));

let longhaul: Longhaul;
beforeAll(async () => {
  longhaul = await startLonghaul({ ROLE: 'all' });
});
afterAll(() => longhaul.stop());

/** For the block that tests one: as the block before it defines it. */
const comments = working.defineHandler({
  type: 'comments',
  input: zod.z.object({ sourceUrl: zod.z.string() }),
  async run({ input, signal, progress, log, files, checkpoint }) {
    progress(10, 'Reading', 'read');
    const text = await (await files.open(input.sourceUrl)).blob().then((blob) => blob.text());
    log.info('read', { characters: text.length });
    checkpoint.save({ read: true });
    signal.throwIfAborted();
    await files.save('summary', text);
    return { words: text.split(' ').length };
  },
});

/** What the blocks import. */
const modules: Record<string, object> = {
  '@apollo/client': apollo,
  '@longhaul/client': exported,
  '@longhaul/client/apollo': apolloEntry,
  '@longhaul/client/testing': testing,
  '@longhaul/client/urql': urqlEntry,
  '@longhaul/client/worker': working,
  '@urql/core': urql,
  'relay-runtime': relay,
  zod,
};

/** What the blocks print, in order. */
const printed: Record<string, RegExp> = {
  "url: 'http://localhost:4000'": /^\d+ \w+[^]*\{"bytes":/,
  'const handle = await client.submit(': /^\d+ (PENDING|RUNNING) [^]*\n\d+ COMPLETED 100 .*\n\{"bytes":/,
  'JobFailed, LonghaulError': /failed \w+ job_/,
  'client.handle(id).updates()': /websocket RUNNING\n/,
  'client.updates({': /job_\S+ COMPLETED\n$/,
  'onAbort:': /^AbortError\n$/,
  'submitMany': /^job_\S+\njob_\S+\n\{"value":2,"exact":true\} 2 null\n$/,
  'client.download(': /^0\n1\n[^]*text\/plain \d+\n/,
  'LonghaulLink': /^(PENDING\n)?(RUNNING\n)+COMPLETED\n$/,
  'longhaulExchange(': /^COMPLETED\n$/,
  'requestSubscription(': /^COMPLETED\n$/,
  'startWorker(': /^\{"words":3\}\n$/,
  'runHandler(': /^completed \{"words":2\} [^]*summary\nstopped\n\{"bytes":/,
  'browserToken(': /^\S+ true\n$/,
};

test('every block of JavaScript does what the page says', async () => {
  const workspace = await longhaul.workspace();
  const key = await workspace.key();
  const client = exported.createClient({ url: longhaul.url, auth: key });
  const handle = await client.submit('demo', { seconds: 0 }, { tags: ['customer-7'] });
  const left = new Map(Object.entries(printed));
  for (const { code } of blocks.filter(({ language }) => language === 'js')) {
    const [about, pattern] = [...left].find(([name]) => code.includes(name)) ?? [];
    if (about === undefined || pattern === undefined) throw new Error(`The test does not say what this prints:\n${code}`);
    left.delete(about);
    let output = '';
    const write = (...parts: unknown[]) => {
      output += `${parts.map((part) => (typeof part === 'object' ? JSON.stringify(part) : String(part))).join(' ')}\n`;
    };
    const token = async () => (await client.browserToken({ tag: 'customer-7', scopes: ['READ', 'WRITE'] })).token;
    const scope = {
      ...exported,
      ...imported(code),
      ...(code.includes('graphql`') ? { graphql: await compiled(code) } : {}),
      ...(code.includes('const comments =') ? {} : { comments }),
      url: longhaul.url,
      key,
      console: { log: write },
      localStorage: { setItem: () => {} },
      fetch: async () => new Response(await token()),
      ...(code.includes('const client =') ? {} : { client }),
      ...(code.includes('const handle =') ? {} : { handle }),
    };
    // For the block that waits for whatever happens in the workspace.
    const others = setInterval(() => code.includes('client.updates(') && void client.submit('demo', { seconds: 0 }, { tags: ['customer-7'] }).catch(() => {}), 500);
    const body = `return (async () => {${code.replaceAll(/^import .*$/gm, '').replace('http://localhost:4000', longhaul.url)}})();`;
    await compileFunction(body, Object.keys(scope), { filename: 'README.md' })(...Object.values(scope)).finally(() => clearInterval(others));
    expect(output, about).toMatch(pattern);
  }
  expect([...left.keys()]).toEqual([]);
}, 300_000);

/** The names that a block imports, with what their modules export. */
function imported(code: string): Record<string, unknown> {
  const names = [...code.matchAll(/^import \{ (.*) \} from '(.*)';$/gm)].flatMap(([, list = '', module = '']) => list.split(', ').map((name) => [name, module]));
  return Object.fromEntries(names.map(([name = '', module = '']) => {
    const value: unknown = Reflect.get(modules[module] ?? {}, name);
    if (value === undefined) throw new Error(`${module} exports no ${name}.`);
    return [name, value];
  }));
}

/** What relay-compiler puts in the place of a block's documents. */
async function compiled(code: string): Promise<(text: TemplateStringsArray) => relay.ConcreteRequest> {
  const documents = [...code.matchAll(/graphql`(.*?)`/gs)].map(([, document = '']) => document);
  const artifacts = await compileRelay('Jobs', documents);
  return ([text = '']) => artifacts.operation(/\w+ (\w+)/.exec(text)?.[1] ?? '');
}

test('the commands of the page make the types that its TypeScript is checked with', async () => {
  const { folder } = await packClient('zod');
  await writeFile(join(folder, 'package.json'), '{ "type": "module" }');
  const [, command = ''] = blocks.filter(({ language }) => language === 'sh').map(({ code }) => code);
  const env = { PATH: process.env['PATH'], HOME: folder, LONGHAUL_URL: longhaul.url, LONGHAUL_KEY: longhaul.adminKey };
  await run('bash', ['-ec', command], { cwd: folder, env });
  const programs = blocks.filter(({ language }) => language === 'ts');
  for (const [n, { code }] of programs.entries()) {
    await writeFile(join(folder, `program-${n}.ts`), `declare const url: string, key: string;\n${code}`);
  }
  const options = ['--strict', '--noEmit', '--target', 'es2022', '--module', 'nodenext', '--lib', 'es2023,dom,dom.asynciterable', '--types', ''];
  const files = programs.map((_, n) => `program-${n}.ts`);
  const { stdout } = await run(process.execPath, [compiler, ...options, ...files], { cwd: folder }).catch((error: { stdout: string }) => error);
  expect(stdout).toBe('');
  expect(files).toHaveLength(2);
}, 300_000);
