import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createElement } from 'react';
import { renderToString } from 'react-dom/server';
import { build, transformWithOxc } from 'vite';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { createClient } from '../../clients/js/src/index.ts';
import { LonghaulProvider, useJob, useJobs, useSubmit } from '../../clients/js/src/react/index.ts';
import { hasChromium, openInChromium } from '../support/browser.ts';
import { eventually } from '../support/eventually.ts';
import { packageUser } from '../support/javascript-client.ts';
import { type Longhaul, sharedLonghaul } from '../support/longhaul.ts';
import { packClient } from '../support/packed-client.ts';

let longhaul: Longhaul;
beforeAll(async () => {
  longhaul = await sharedLonghaul();
});
afterAll(() => longhaul.stop());

test('on a server the hooks show what is not there yet, and open nothing', () => {
  const opened: unknown[] = [];
  const client = createClient({ url: 'http://localhost', auth: 'key', fetch: async (url) => Response.json(opened.push(url)) });
  expect(renderToString(createElement(LonghaulProvider, { client }, createElement(Page)))).toBe('0 true null false');
  expect(opened).toEqual([]);
  expect(() => renderToString(createElement(Page))).toThrow('put the component below a LonghaulProvider');
});

test.runIf(hasChromium())('in a browser, under StrictMode, a list is live page by page over one socket, and a submission with its upload', async () => {
  const { client, tenant, key } = await packageUser(longhaul);
  const [oldest, middle, newest] = await tenant.createAll([1, 2, 3].map(() => ({ tags: ['a'] })));
  if (oldest === undefined || middle === undefined || newest === undefined) throw new Error('no jobs');
  const page = await openInChromium(await pageOf('react-page.js'), encodeURIComponent(JSON.stringify({ url: longhaul.url, auth: key })));
  const faults: string[] = [];
  page.on('console', (message) => message.type() === 'error' && faults.push(message.text()));
  page.on('pageerror', (error) => faults.push(error.message));
  const rows = () => page.locator('li').allTextContents();

  await vi.waitFor(async () => expect(await rows()).toEqual([`${newest.id} PENDING`, `${middle.id} PENDING`]), { timeout: 10_000 });
  await page.locator('#more').click();
  await eventually(async () => expect(await rows()).toHaveLength(3));

  await tenant.cancel(middle.id);
  const added = await tenant.create({ tags: ['a'] });
  await tenant.create({ tags: ['b'] });
  await eventually(async () => expect(await rows()).toEqual([`${added.id} PENDING`, `${newest.id} PENDING`, `${oldest.id} PENDING`]));

  await page.locator('#submit').click();
  await eventually(async () => expect(await page.locator('#submitted').textContent()).toMatch(/^job_\S+ PENDING$/));
  expect(await page.evaluate('window.uploads.at(-1)')).toEqual({ done: 5, total: 5 });
  const [id = ''] = ((await page.locator('#submitted').textContent()) ?? '').split(' ');
  await client.handle(id).cancel();
  await eventually(async () => expect(await page.locator('#submitted').textContent()).toBe(`${id} CANCELLED`));
  expect(await page.evaluate('window.sockets')).toBe(1);

  await page.locator('#leave').click();
  await eventually(async () => expect(await page.evaluate('window.open')).toBe(0));
  expect(faults).toEqual([]);
});

test("the README's component is rendered", async () => {
  const readme = await readFile(new URL('../../clients/js/README.md', import.meta.url), 'utf8');
  const [, jsx = ''] = /^```jsx\n(.*?)^```$/ms.exec(readme) ?? [];
  const { folder, node } = await packClient('react', 'react-dom', 'scheduler');
  const { code } = await transformWithOxc(jsx, 'page.jsx', { jsx: { runtime: 'automatic', development: false } });
  const first = "import { createElement } from 'react'; import { renderToString } from 'react-dom/server'; const url = 'http://localhost';";
  await writeFile(join(folder, 'page.mjs'), `${first}\n${code}\nconsole.log(renderToString(createElement(App)));`);
  expect(await node('page.mjs')).toMatch(/^<main><input type="file"\/><p><\/p><ul><\/ul><button disabled="">Loading<\/button><\/main>\n$/);
});

function Page() {
  const { jobs, isLoading } = useJobs({ tags: ['a'] });
  const { job } = useJob('job_1');
  const { isSubmitting } = useSubmit('demo');
  return `${jobs.length} ${isLoading} ${job} ${isSubmitting}`;
}

/** The page of a fixture, with the packed package and React in it. */
async function pageOf(fixture: string): Promise<string> {
  const { folder } = await packClient('react', 'react-dom', 'scheduler');
  const input = join(folder, fixture);
  await writeFile(input, await readFile(fileURLToPath(new URL(`../support/fixtures/${fixture}`, import.meta.url))));
  const built = await build({
    root: folder,
    configFile: false,
    logLevel: 'silent',
    mode: 'development',
    build: { write: false, modulePreload: false, rolldownOptions: { input, output: { codeSplitting: false } } },
  });
  const outputs = [built].flat().flatMap((one) => ('output' in one ? one.output : []));
  const code = outputs.map((chunk) => (chunk.type === 'chunk' ? chunk.code : '')).join('\n');
  return `<!doctype html><div id="root"></div><script type="module">${code.replaceAll('</script', '<\\/script')}</script>`;
}
