import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { type Page } from 'playwright-core';
import { expect, onTestFinished, test, vi } from 'vitest';
import { hasChromium, openTab, startChromium } from '../support/browser.ts';
import { Relay } from '../support/frozen-relay.ts';
import { type Installation, prepareInstallation } from '../support/process.ts';

const example = fileURLToPath(new URL('../../examples/web/', import.meta.url));
const patience = { timeout: 20_000, interval: 100 };

test('the page of the example is short', async () => {
  const texts = await Promise.all(['page.jsx', 'server.js'].map((file) => readFile(example + file, 'utf8')));
  expect(texts.join('').split('\n').length).toBeLessThan(150);
});

test.runIf(hasChromium())('in two tabs the page shows every end through a kill -9, a frozen network and tokens of a minute', async () => {
  const { tabs, installation, network, restart, tokens } = await openExample();
  const [tab, other] = tabs;
  const inBoth = async (expected: Record<string, number>, timeout = 20_000) => {
    for (const each of tabs) await shows(each, expected, timeout);
  };

  // However long the jobs take on a busy machine: from their end on, the pages have the usual time.
  const ended = (jobs: number) => vi.waitFor(async () => {
    expect(await installation.query("SELECT count(*)::int AS jobs FROM job WHERE finished_at IS NOT NULL")).toEqual([{ jobs }]);
  }, { timeout: 180_000, interval: 200 });

  await tab.locator('input[type=file]').setInputFiles({ name: 'a.txt', mimeType: 'text/plain', buffer: Buffer.from('some words') });
  await ended(1);
  await inBoth({ COMPLETED: 1 });
  await create(tab, 0);
  await ended(21);
  await inBoth({ COMPLETED: 21 });

  const downloading = tab.waitForEvent('download');
  await tab.locator('button[name=download]').first().click();
  const download = await downloading;
  expect(download.suggestedFilename()).toBe('demo.txt');
  expect(await readFile(await download.path(), 'utf8')).toContain('Made by the demo job');

  await tab.locator('#type').selectOption('fingerprint');
  await shows(tab, { COMPLETED: 1 });
  await tab.locator('#type').selectOption('');
  await shows(tab, { COMPLETED: 21 });

  await create(tab, 80);
  await inBoth({ RUNNING: 20, COMPLETED: 21 });
  await vi.waitFor(async () => expect(Math.min(...(await bars(other)))).toBeGreaterThan(1), patience);
  // The first page has 25; the others are there for who asks.
  await other.reload();
  await shows(other, { RUNNING: 20, COMPLETED: 5 });
  await other.locator('#more').click();
  await shows(other, { RUNNING: 20, COMPLETED: 21 });

  await tab.locator('tr.RUNNING button[name=cancel]').first().click();
  await inBoth({ RUNNING: 19, COMPLETED: 21, CANCELLED: 1 });
  await other.locator('button[name=retry]').click();
  await inBoth({ RUNNING: 20, COMPLETED: 21, CANCELLED: 1 });

  await restart();
  await vi.waitFor(async () => expect(Math.max(...(await bars(tab)))).toBeGreaterThan(20), { ...patience, timeout: 90_000 });
  network.freeze();
  await new Promise((resolve) => setTimeout(resolve, 30_000));
  network.thaw();

  await ended(42);
  await inBoth({ COMPLETED: 41, CANCELLED: 1 }, 60_000);
  for (const each of tabs) expect(await each.locator('[role=alert]').allTextContents()).toEqual([]);
  expect(await installation.query("SELECT status, count(*)::int AS jobs FROM job WHERE tags @> '{customer-7}' GROUP BY 1 ORDER BY 1")).toEqual([
    { status: 'CANCELLED', jobs: 1 }, { status: 'COMPLETED', jobs: 41 },
  ]);
  // Each tab has outlived a token at least; the other was loaded anew, too.
  expect(tokens(tab)).toBeGreaterThanOrEqual(1);
  expect(tokens(other)).toBeGreaterThanOrEqual(2);
}, 400_000);

async function create(page: Page, seconds: number): Promise<void> {
  await page.locator('#seconds').fill(String(seconds));
  await page.locator('#twenty').click();
}

/** Waits until the page shows so many jobs of each status, and no others. */
async function shows(page: Page, expected: Record<string, number>, timeout = 20_000): Promise<void> {
  const counted = async () => {
    const shown = await page.locator('tr').evaluateAll((all) => all.map((row) => String(Reflect.get(row, 'className'))));
    return Object.fromEntries([...new Set(shown)].map((status) => [status, shown.filter((each) => each === status).length]));
  };
  await vi.waitFor(async () => {
    expect(await page.locator('#more').textContent()).toBe('More');
    expect(await counted()).toEqual(expected);
  }, { timeout, interval: 100 });
}

/** How far what runs is. */
function bars(page: Page): Promise<number[]> {
  return page.locator('tr.RUNNING progress').evaluateAll((all) => all.map((bar) => Number(Reflect.get(bar, 'value'))));
}

interface OpenExample {
  tabs: [Page, Page];
  installation: Installation;
  network: Relay;
  /** Kills the server, and starts another. */
  restart(): Promise<void>;
  /** How many tokens a tab has asked for after its first. */
  tokens(tab: Page): number;
}

/** The example's server before a Longhaul that moves, and its page in two tabs. */
async function openExample(): Promise<OpenExample> {
  const network = await Relay.listen();
  onTestFinished(() => network[Symbol.asyncDispose]());
  const installation = await prepareInstallation({ PUBLIC_URL: network.url, WORKER_CONCURRENCY: '30' });
  let server = await installation.start('api', { ROLE: 'all' });
  network.to(server.url);
  const env = { PATH: process.env['PATH'], LONGHAUL_URL: network.url, LONGHAUL_KEY: installation.adminKey, PORT: '0', TOKEN_SECONDS: '60' };
  const serving = spawn(process.execPath, [`${example}server.js`], { env, stdio: ['ignore', 'pipe', 'inherit'] });
  const exited = once(serving, 'exit');
  onTestFinished(async () => {
    serving.kill('SIGKILL');
    await exited;
  });
  const [address] = await once(serving.stdout.setEncoding('utf8'), 'data');
  const url = String(address).trim();
  const browser = await startChromium();
  const tabs: [Page, Page] = [await openTab(browser, url), await openTab(browser, url)];
  const asked = new Map<Page, number>();
  for (const tab of tabs) {
    await shows(tab, {});
    tab.on('request', (request) => void (request.url().endsWith('/token') && asked.set(tab, (asked.get(tab) ?? 0) + 1)));
  }
  const restart = async () => {
    server.kill('SIGKILL');
    await server.ended;
    server = await installation.start('api', { ROLE: 'all' });
    network.to(server.url);
  };
  return { tabs, installation, network, restart, tokens: (tab) => asked.get(tab) ?? 0 };
}
