import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Route } from 'playwright-core';
import { hasChromium } from '../support/browser.ts';
import { visit } from '../support/dashboard.ts';
import { type Longhaul, startLonghaul } from '../support/longhaul.ts';

let longhaul: Longhaul;
let key: string;
beforeAll(async () => {
  longhaul = await startLonghaul();
  key = await (await longhaul.workspace()).key();
});
afterAll(() => longhaul.stop());

const creates = (route: Route) => route.request().postData()?.includes('mutation CreateThisJob') === true;

async function idsOf(type: string): Promise<string[]> {
  const { data } = await longhaul.graphql('query ($type: String!) { jobs(filter: { types: [$type] }) { edges { node { id } } } }', { type }, key);
  return Object(data).jobs.edges.map(({ node }: { node: { id: string } }) => node.id);
}

describe.skipIf(!hasChromium())('in Chromium', { timeout: 120_000 }, () => {
  test('what is filled in while a file is on its way stays', async () => {
    const { page } = await visit(longhaul.url, { key, address: '#/new?type=export' });
    const sent = Promise.withResolvers<void>();
    await page.route('**', async (route) => {
      if (route.request().method() === 'PATCH') await sent.promise;
      await route.fallback();
    });
    await page.getByLabel('File to send').setInputFiles({ name: 'film.mp4', mimeType: 'video/mp4', buffer: Buffer.from('a film') });
    await page.getByRole('button', { name: 'Stop' }).waitFor();
    await page.getByLabel('format').fill('webm');
    sent.resolve();
    await expect.poll(() => page.getByLabel('sourceUrl').inputValue()).toMatch(/^upload:upload_/);
    expect(await page.getByLabel('format').inputValue()).toBe('webm');
  });

  test('pressed again after its answer was lost, a job is created once; with another input it is another job', async () => {
    const { page } = await visit(longhaul.url, { key, address: '#/new?type=tool' });
    let answers = 0;
    await page.route('**/graphql', async (route) => {
      if (!creates(route)) return route.fallback();
      answers += 1;
      const response = await route.fetch();
      const lost = { errors: [{ message: 'Its answer was lost.', extensions: { code: 'INTERNAL' } }] };
      return answers === 1 ? route.fulfill({ json: lost }) : route.fulfill({ response });
    });
    await page.getByLabel('tool').fill('cutter');
    await page.getByRole('button', { name: 'Create job' }).click();
    await page.getByText('Its answer was lost.').waitFor();
    const [made] = await idsOf('tool');
    await page.getByRole('button', { name: 'Create job' }).click();
    await page.waitForURL(`**/#/jobs/${made}`);
    expect(await idsOf('tool')).toEqual([made]);

    await page.goBack();
    await page.getByLabel('tool').fill('mixer');
    await page.getByRole('button', { name: 'Create job' }).click();
    await page.waitForURL((url) => url.hash.startsWith('#/jobs/job_'));
    expect(await idsOf('tool')).toHaveLength(2);
  });

  test('who went elsewhere while a job was created stays there, and is told of it', async () => {
    const visitor = await visit(longhaul.url, { key, address: '#/new?type=analysis' });
    const { page } = visitor;
    const asked = Promise.withResolvers<void>();
    const answered = Promise.withResolvers<void>();
    await page.route('**/graphql', async (route) => {
      if (creates(route)) {
        asked.resolve();
        await answered.promise;
      }
      await route.fallback();
    });
    await page.getByRole('button', { name: 'Create job' }).click();
    await asked.promise;
    await visitor.open('#/credits');
    await page.getByRole('heading', { name: 'Credits' }).waitFor();
    answered.resolve();
    const notice = page.getByRole('region', { name: 'Notices' }).filter({ hasText: 'The job was created.' });
    await notice.waitFor();
    expect(page.url()).toContain('#/credits');
    await notice.getByRole('link', { name: 'Show' }).click();
    await page.getByRole('heading', { name: 'analysis' }).waitFor();
  });
});
