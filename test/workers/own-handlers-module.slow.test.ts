import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createClient } from '../../clients/js/src/index.ts';
import { defineHandler } from '../../clients/js/src/worker/index.ts';
import { loadOwnHandlers } from '../../src/worker/own/load.ts';
import type { OwnHandler } from '../../src/worker/own/own-handler.ts';
import { spawnLonghaul, startProcess, testFolder } from '../support/process.ts';

const run = promisify(execFile);

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'longhaul-module-'));
});
afterAll(() => rm(folder, { recursive: true }));

const zod = pathToFileURL(join(import.meta.dirname, '../../node_modules/zod/index.js')).href;
let written = 0;

async function moduleOf(text: string, extension = 'ts'): Promise<string> {
  written += 1;
  const path = join(folder, `handlers-${written}.${extension}`);
  await writeFile(path, text);
  return path;
}

test("a handler of the package's is one of the server's, by its shape", async () => {
  const handler: OwnHandler = defineHandler({ type: 'own/typed', run: () => 1 });
  expect(handler.type).toBe('own/typed');
});

test.for([
  { exported: 'by a name', text: "export const hello: object = { type: 'own/a', run() {} };" },
  { exported: 'as the default', text: "export default { type: 'own/a', run() {} };" },
  { exported: 'in an array', text: "export const all = [{ type: 'own/a', run() {} }];" },
  { exported: 'twice', text: "export const a = { type: 'own/a', run() {} }; export default [a];" },
  { exported: 'by CommonJS', text: "module.exports = { a: { type: 'own/a', run() {} } };", extension: 'cjs' },
])('a handler that is exported $exported is found once', async ({ text, extension }) => {
  const { handlers, types } = await loadOwnHandlers(await moduleOf(text, extension));
  expect(handlers.map(({ type }) => type)).toEqual(['own/a']);
  expect(types).toMatchObject([{ name: 'own/a', credits: 1, maxAttempts: 3, timeoutSeconds: 3600, leaseSeconds: 30, inputSchema: { type: 'object' } }]);
});

test.for([
  { fault: 'no handler', text: 'export const port = 1;', says: [/exports no handler\. Export one, for example: export const hello = defineHandler/] },
  { fault: 'an import that is not there', text: "import 'no-such-package'; export const a = 1;", says: [/cannot be loaded: .*no-such-package.*install what it imports/] },
  {
    fault: 'two handlers of one type', text: "export default [{ type: 'own/a', run() {} }, { type: 'own/a', run() {} }];",
    says: [/type "own\/a": another handler is of that type\. Give each/],
  },
  { fault: 'a type that is shipped', text: "export const a = { type: 'demo', run() {} };", says: [/type "demo": Longhaul ships a type of that name\. Call yours otherwise/] },
  {
    fault: 'terms that are none', text: "export const a = { type: 'own a', run() {} }; export const b = { type: 'own/b', credits: -1, leaseSeconds: 60, timeoutSeconds: 5, run() {} };",
    says: [/type "own a": name: expected 1 to 100 letters/, /type "own\/b": credits: /],
  },
  {
    fault: 'a schema of which no JSON Schema is made', text: "export const a = { type: 'own/a', input: { '~standard': { vendor: 'valibot', validate: (value) => ({ value }) } }, run() {} };",
    says: [/type "own\/a": inputSchema: is required beside an input of valibot/],
  },
  { fault: 'an input that is no object', text: `import { z } from '${zod}'; export const a = { type: 'own/a', input: z.string(), run() {} };`, says: [/input: cannot be published .*is an object/] },
])('a module with $fault stops the start and says what to do', async ({ text, says }) => {
  const path = await moduleOf(text);
  const reason: unknown = await loadOwnHandlers(path).then(() => null, (error: unknown) => error);
  const lines = reason instanceof Error ? reason.message.split('\n') : [];
  expect(lines).toEqual(says.map((pattern) => expect.stringMatching(pattern)));
  for (const line of lines) expect(line.startsWith(`HANDLERS: ${path}`)).toBe(true);
});

test('a process whose module is not there does not start', async () => {
  const started = spawnLonghaul({ DATA_DIR: await testFolder(), HANDLERS: join(folder, 'none.ts') });
  expect(await started.ended).toEqual({ code: 1, signal: null });
  expect(started.stderr()).toMatch(/none\.ts is not there\. Set HANDLERS to the module/);
});

test("the README's way from nothing to a job of one's own is one", async () => {
  const page = await readFile(new URL('../../README.md', import.meta.url), 'utf8');
  const [, section = ''] = /^## A job of your own\n(.*?)^## /ms.exec(page) ?? [];
  const [writing = '', creating = ''] = [...section.matchAll(/^```sh\n(.*?)^```$/gms)].map(([, code = '']) => code);
  const home = await testFolder();
  // Where the reader stands, packages are found.
  await symlink(join(import.meta.dirname, '../../node_modules'), join(home, 'node_modules'));
  const [file = '', start = ''] = writing.split(/^(?=HANDLERS=)/m);
  await run('bash', ['-ec', file], { cwd: home });
  const [, name = ''] = /^HANDLERS=(\S+) npm start$/m.exec(start) ?? [];
  const key = `lh_${randomBytes(32).toString('hex')}`;
  const server = await startProcess({ DATA_DIR: await testFolder(), ADMIN_API_KEY: key, HANDLERS: join(home, name) });
  const { stdout } = await run('bash', ['-ec', creating.replace('http://localhost:4000', server.url)], { env: { PATH: process.env['PATH'], KEY: key } });
  const [, id = ''] = /"id":"(job_[^"]+)"/.exec(stdout) ?? [];
  const handle = createClient({ url: server.url, auth: key }).handle(id);
  expect(await handle.result({ timeout: 20_000 })).toEqual({ words: 4 });
  expect(await handle.job()).toMatchObject({ type: 'words', artifacts: [{ name: 'report', filename: 'report.txt', bytes: 8 }] });
});
