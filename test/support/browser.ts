import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { type Browser, chromium, type Page } from 'playwright-core';
import { onTestFinished } from 'vitest';

const executablePath = '/usr/bin/chromium';

/** Whether Chromium can be started here. CI requires it. */
export function hasChromium(): boolean {
  if (spawnSync(executablePath, ['--version']).status === 0) return true;
  if (process.env['CI'] === 'true') throw new Error(`CI needs ${executablePath}. Install the package chromium.`);
  process.stderr.write('No chromium: the scenarios of pages in a browser are skipped. Install it to run them.\n');
  return false;
}

/** Serves a page from an origin of its own and opens it in a headless Chromium. Both end with the test. */
export async function openInChromium(html: string, hash: string): Promise<Page> {
  const server = createServer((_request, response) => response.setHeader('content-type', 'text/html; charset=utf-8').end(html));
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the page has no port');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return openTab(await startChromium(), `http://127.0.0.1:${address.port}/#${hash}`);
}

/** Starts a headless Chromium, which ends with the test. */
export async function startChromium(): Promise<Browser> {
  // Without a sandbox: CI runs as root. Without /dev/shm: containers have little of it.
  const browser = await chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-dev-shm-usage', '--disable-gpu'] });
  onTestFinished(() => browser.close());
  return browser;
}

export async function openTab(browser: Browser, url: string): Promise<Page> {
  const page = await browser.newPage();
  await page.goto(url);
  return page;
}
