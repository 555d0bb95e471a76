import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { describe, expect, test } from 'vitest';
import { hasChromium } from '../support/browser.ts';
import { visit } from '../support/dashboard.ts';
import { eventually } from '../support/eventually.ts';
import { type Installation, prepareInstallation, type ReadyProcess } from '../support/process.ts';
import { startReceiver, status } from '../support/receiver.ts';

const types = [
  {
    name: 'publish',
    description: 'Sends a film to a host.',
    credits: 1,
    inputSchema: {
      type: 'object',
      required: ['film', 'token'],
      additionalProperties: false,
      properties: {
        film: { type: 'string', title: 'Film' },
        token: { type: 'string', title: 'Token', 'x-secret': true },
        labels: { type: 'array', title: 'Labels', items: { type: 'string' } },
      },
    },
  },
];

/** A picture of one pixel. */
const dot = Buffer.from('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==', 'base64');

/** An API and a worker of one installation. The API can be killed and started again at its address. */
async function start(): Promise<{ installation: Installation; url: string; restart: () => Promise<void> }> {
  const installation = await prepareInstallation({ OUTBOUND_ALLOW: '127.0.0.1' });
  const file = join(installation.folder, 'types.json');
  await writeFile(file, JSON.stringify(types));
  installation.env['JOB_TYPES'] = file;
  let api: ReadyProcess = await installation.start('api');
  await installation.start('worker');
  const { url } = api;
  const restart = async () => {
    api.kill('SIGKILL');
    await api.ended;
    api = await installation.start('api', { PORT: new URL(url).port });
  };
  return { installation, url, restart };
}

/** The id in the address. */
function shownJob(page: Page): string {
  return /#\/jobs\/(job_[\w-]+)/.exec(page.url())?.[1] ?? '';
}

async function create(page: Page): Promise<string> {
  await page.getByRole('button', { name: 'Create job' }).click();
  await page.waitForURL(/#\/jobs\/job_/);
  return shownJob(page);
}

function section(page: Page, name: string) {
  return page.getByRole('region', { name, exact: true });
}

describe.skipIf(!hasChromium())('in Chromium', () => {
  test('a job is made by a form, watched to its end through a restart, sent again, made anew with changes, and cancelled', { timeout: 300_000 }, async () => {
    const receiver = await startReceiver(status(410), status(204));
    const { installation, url, restart } = await start();
    const visitor = await visit(url, { key: installation.adminKey, address: '#/new?type=demo' });
    const { page } = visitor;
    // What a server that is away does to a browser's console.
    visitor.allow(/ERR_CONNECTION|ERR_EMPTY_RESPONSE|WebSocket|Failed to fetch/i);

    // What is not right is told at its field, and the form stays.
    await page.getByLabel('seconds').fill('many');
    await page.getByRole('button', { name: 'Create job' }).click();
    await expect.poll(() => page.getByLabel('seconds').getAttribute('aria-invalid')).toBe('true');
    await page.getByLabel('seconds').fill('99999');
    await page.getByLabel('file', { exact: true }).selectOption('image');
    await page.getByText('Tags, priority, time, webhook').click();
    await page.getByLabel('Webhook URL').fill(receiver.url);
    await page.getByLabel('Tags').fill('nightly\ncustomer 7');
    await visitor.isAccessible();
    await page.getByRole('button', { name: 'Create job' }).click();
    // By the server, this time.
    await page.getByRole('alert').filter({ hasText: 'expected at most 3600' }).first().waitFor();
    await page.getByLabel('seconds').fill('8');
    await create(page);

    const log = page.getByRole('log', { name: 'Log' });
    await log.getByText('Getting everything ready').waitFor();
    await restart();
    await section(page, 'State').getByText(/Completed in/).waitFor({ timeout: 60_000 });
    await log.getByText('made a file').waitFor();
    // Each line once, although the socket broke.
    expect(await log.getByText('Drawing the result').count()).toBe(1);
    await section(page, 'Attempts').getByText(/waited .+, ran/).waitFor();

    await expect.poll(() => page.evaluate('document.querySelector("img.preview")?.naturalWidth')).toBe(320);
    const output = page.getByRole('tree', { name: 'Output' });
    await output.getByRole('treeitem', { name: /mediaType: "image\/png"/ }).waitFor();
    await page.getByRole('complementary').getByRole('link', { name: 'customer 7' }).waitFor();

    const deliveries = section(page, 'Webhook deliveries');
    await deliveries.getByText('1 try, answered 410').waitFor({ timeout: 60_000 });
    await deliveries.getByRole('button', { name: 'Redeliver' }).click();
    await deliveries.getByText('Delivered', { exact: true }).waitFor({ timeout: 60_000 });
    await eventually(() => expect(receiver.received).toHaveLength(2));
    await visitor.isAccessible();
    await page.setViewportSize({ width: 360, height: 740 });
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(360);
    await page.setViewportSize({ width: 1280, height: 800 });

    await visitor.open('#/new?type=demo');
    await page.getByLabel('seconds').fill('600');
    const cancelled = await create(page);
    await page.getByRole('button', { name: 'Cancel', exact: true }).click();
    await page.getByLabel('Reason').fill('not needed');
    await visitor.isAccessible();
    await page.getByRole('button', { name: 'Cancel the job' }).click();
    await section(page, 'State').getByText('Cancelled: not needed').waitFor();
    await page.getByRole('complementary').getByText('1 credit charged, 1 refunded').waitFor();
    await page.getByRole('button', { name: 'Retry' }).click();
    await page.waitForURL((address) => !address.hash.includes(cancelled));
    await page.getByText('Retry of').waitFor();
  });

  test('files are sent from the form, and a job is made again with another one', { timeout: 180_000 }, async () => {
    const { installation, url } = await start();
    const { page } = await visit(url, { key: installation.adminKey, address: '#/new?type=fingerprint' });
    const send = async (content: Buffer) => {
      await page.getByLabel('File to send').setInputFiles({ name: 'sound.bin', mimeType: 'application/octet-stream', buffer: content });
      await page.getByText('sound.bin, ').waitFor();
      await expect.poll(() => page.getByLabel('Source').inputValue()).toMatch(/^upload:upload_/);
    };
    const sums = async (content: Buffer) => {
      const sum = createHash('sha256').update(content).digest('hex');
      await page.getByRole('tree', { name: 'Output' }).getByText(sum).waitFor({ timeout: 60_000 });
      await section(page, 'Files').getByText(sum).waitFor();
    };
    const first = Buffer.from('one');
    const second = Buffer.alloc(3_000_000, 'another');
    await send(first);
    const made = await create(page);
    await sums(first);
    await page.getByRole('button', { name: 'Run again with changes' }).click();
    await expect.poll(() => page.getByLabel('Source').inputValue()).toMatch(/^upload:upload_/);
    await send(second);
    await create(page);
    expect(shownJob(page)).not.toBe(made);
    await sums(second);
    const saved = page.waitForEvent('download');
    await section(page, 'Files').getByRole('link', { name: 'sound.bin' }).click();
    expect(await readFile(await (await saved).path())).toEqual(second);

    // What it was given is shown as what it made.
    await page.getByRole('button', { name: 'Run again with changes' }).click();
    await page.getByLabel('File to send').setInputFiles({ name: 'dot.png', mimeType: 'image/png', buffer: dot });
    await page.getByText('dot.png, ').waitFor();
    await create(page);
    await section(page, 'Files').getByRole('img', { name: 'dot.png' }).waitFor();
    await expect.poll(() => page.evaluate("document.querySelector('img.preview').naturalWidth")).toBe(1);
  });

  test('a secret is typed unseen, shown to who asks, and taken over', { timeout: 120_000 }, async () => {
    const { installation, url } = await start();
    const visitor = await visit(url, { key: installation.adminKey, address: '#/new?type=publish' });
    const { page } = visitor;
    expect(await page.getByLabel('Token').getAttribute('type')).toBe('password');
    await page.getByLabel('Film').fill('https://example.com/film.mp4');
    await page.getByLabel('Token').fill('s3cret-of-the-host');
    await page.getByRole('button', { name: 'Add to Labels' }).click();
    await page.getByLabel('Entry 1', { exact: true }).fill('trailer');
    const made = await create(page);

    const input = page.getByRole('tree', { name: 'Input' });
    await input.getByText('"•••"').waitFor();
    await section(page, 'Input').getByRole('button', { name: 'Show' }).click();
    await input.getByText('"s3cret-of-the-host"').waitFor();
    await section(page, 'Input').getByRole('button', { name: 'Hide' }).click();
    await input.getByText('"•••"').waitFor();
    await input.getByRole('treeitem', { name: /labels/ }).press('ArrowLeft');
    await input.getByText('[ 1 item ]').waitFor();

    await page.getByRole('button', { name: 'Run again with changes' }).click();
    await page.getByRole('button', { name: 'Create job' }).click();
    await page.getByRole('alert').filter({ hasText: 'It is hidden' }).first().waitFor();
    await page.getByRole('tab', { name: 'JSON' }).click();
    await page.getByRole('button', { name: 'Create job' }).click();
    await page.getByRole('alert').filter({ hasText: 'It is hidden' }).first().waitFor();
    await page.getByRole('tab', { name: 'Form' }).click();
    await page.getByLabel('Entry 1', { exact: true }).fill('premiere');
    await visitor.isAccessible();
    await page.getByRole('button', { name: 'Take over Token' }).click();
    await create(page);
    expect(shownJob(page)).not.toBe(made);
    await input.getByText('"premiere"').waitFor();
    const [stored] = await installation.query<{ input: object }>('SELECT input FROM job ORDER BY id DESC LIMIT 1');
    expect(stored?.input).toEqual({ film: 'https://example.com/film.mp4', token: 's3cret-of-the-host', labels: ['premiere'] });
  });
});
