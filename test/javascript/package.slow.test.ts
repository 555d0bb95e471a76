import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { checkPackage, createPackageFromTarballData } from '@arethetypeswrong/core';
import { publint } from 'publint';
import { build } from 'vite';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Longhaul, sharedLonghaul } from '../support/longhaul.ts';
import { packClient } from '../support/packed-client.ts';

let longhaul: Longhaul;
beforeAll(async () => {
  longhaul = await sharedLonghaul();
});
afterAll(() => longhaul.stop());

/** Gzipped. */
const mostBytes = 12_000;

/** What an entry for another GraphQL client adds to what a page has of that and of the client. */
const mostAdded = 2_500;

test('what npm would publish is right for every resolver, and runs from a folder of its own', async () => {
  const { folder, tarball, node } = await packClient();
  const data = await readFile(tarball);
  const { messages } = await publint({ pkgDir: join(folder, 'node_modules/@longhaul/client'), pack: false, strict: true });
  expect(messages).toEqual([]);
  const types = await checkPackage(createPackageFromTarballData(new Uint8Array(data)));
  // It is ESM: who requires it from CommonJS on a Node that cannot, and resolvers that know no exports, are told so.
  const expected = ['NoResolution', 'CJSResolvesToESM'];
  const problems = types.types === false ? ['none'] : types.problems.filter((problem) => !expected.includes(problem.kind));
  expect(problems).toEqual([]);

  const workspace = await longhaul.workspace();
  await writeFile(join(folder, 'user.mjs'), `
    import { createClient } from '@longhaul/client';
    const client = createClient({ url: process.env.URL, auth: process.env.KEY });
    const handle = await client.submit('comments', { sourceUrl: 'https://example.com/a.mp4' });
    for await (const job of handle.updates()) {
      console.log(job.status);
      if (job.status === 'PENDING') await handle.cancel('enough');
    }
    await handle.result().catch((error) => console.log(error.name, error.code, error.retryable));
  `);
  expect(await node('user.mjs', { URL: longhaul.url, KEY: await workspace.key() })).toBe('PENDING\nCANCELLED\nJobCancelled CANCELLED false\n');
});

test.each([
  {
    entry: '@longhaul/client/apollo',
    needs: ['@apollo/client', 'rxjs'],
    names: ['LonghaulCache', 'LonghaulLink', 'possibleTypes', 'typePolicies'],
    program: `
      import { ApolloClient, gql } from '@apollo/client';
      import { LonghaulCache, LonghaulLink } from '@longhaul/client/apollo';
      const apollo = new ApolloClient({ link: new LonghaulLink(client), cache: new LonghaulCache() });
      apollo.subscribe({ query: gql(watching), variables: { id } }).subscribe(({ data }) => told(data));`,
  },
  {
    entry: '@longhaul/client/urql',
    needs: ['@urql/core', 'wonka'],
    names: ['longhaulExchange'],
    program: `
      import { Client } from '@urql/core';
      import { longhaulExchange } from '@longhaul/client/urql';
      const urql = new Client({ url: process.env.URL, preferGetMethod: false, exchanges: [longhaulExchange(client)] });
      urql.subscription(watching, { id }).subscribe(({ data, hasNext }) => hasNext && told(data));`,
  },
])('$entry runs from a folder of its own beside its library, and is small', async ({ entry, needs, names, program }) => {
  const { folder, node } = await packClient(...needs);
  await writeFile(join(folder, 'user.mjs'), `
    import { createClient } from '@longhaul/client';
    import * as exported from '${entry}';
    const client = createClient({ url: process.env.URL, auth: process.env.KEY });
    const { id } = await client.submit('comments', { sourceUrl: 'https://example.com/a.mp4' });
    const watching = 'subscription ($id: ID!, $afterVersion: Int) { jobProgress(id: $id, afterVersion: $afterVersion) { id version status } }';
    console.log(Object.keys(exported).toSorted().join(' '));
    async function told({ jobProgress: { status } }) {
      console.log(status);
      if (status === 'PENDING') await client.handle(id).cancel();
    }
    ${program}
  `);
  const workspace = await longhaul.workspace();
  expect(await node('user.mjs', { URL: longhaul.url, KEY: await workspace.key() })).toBe(`${names.join(' ')}\nPENDING\nCANCELLED\n`);
  const alone = await bundle(folder, `export * from '${entry}';`, needs);
  expect(gzipSync(alone).length).toBeLessThanOrEqual(mostAdded);
});

test('the entry with all that it needs is at most 12 KB gzipped, and what is not used is left out', async () => {
  const { folder } = await packClient();
  const entry = await bundle(folder, "export * from '@longhaul/client';");
  expect(entry).not.toMatch(/["']node:|\bprocess\b|\bBuffer\b/);
  expect(gzipSync(entry).length).toBeLessThanOrEqual(mostBytes);
  expect((await bundle(folder, "import '@longhaul/client';")).trim()).toBe('');
});

/** What a page loads at first, as it is served. What is loaded later, for files, is apart. @param external packages that it does not count */
async function bundle(folder: string, code: string, external: string[] = []): Promise<string> {
  const input = join(folder, 'page.js');
  await writeFile(input, code);
  const built = await build({
    root: folder,
    configFile: false,
    logLevel: 'silent',
    build: { write: false, modulePreload: false, rolldownOptions: { input, preserveEntrySignatures: 'strict', external: (id) => external.some((name) => id === name || id.startsWith(`${name}/`)) } },
  });
  const outputs = [built].flat().flatMap((one) => ('output' in one ? one.output : []));
  const chunks = new Map(outputs.flatMap((chunk) => (chunk.type === 'chunk' ? [[chunk.fileName, chunk]] : [])));
  const [entry] = [...chunks.values()].filter((chunk) => chunk.isEntry);
  return entry === undefined ? '' : entry.code + entry.imports.map((name) => chunks.get(name)?.code ?? '').join('');
}
