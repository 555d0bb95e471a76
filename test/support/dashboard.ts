import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import type { BrowserContextOptions, Page } from 'playwright-core';
import { expect, onTestFinished } from 'vitest';
import { startChromium } from './browser.ts';

/*
 * Visits to the page in Chromium. The page is built if it is not fresh. Each visit fails its test on an error or a warning in the
 * console, on what the page's policy (CSP, Trusted Types) does not let through, and on a request to another origin.
 */

await import('../../src/dashboard/prepare.ts');

/** How long the page may take for anything, in milliseconds: the machine of a test run is busy. */
const patience = 20_000;

/** A tab of somebody who looks at a Longhaul. */
export interface Visit {
  page: Page;
  /** Goes to a screen: `#/jobs?status=FAILED`. */
  open(address: string): Promise<void>;
  /** Lets an expected console message pass, such as those of a server that is away. */
  allow(message: RegExp): void;
  /** Fails on what axe finds in what is shown now, in light and in dark. */
  isAccessible(): Promise<void>;
}

interface VisitOptions extends Pick<BrowserContextOptions, 'viewport' | 'colorScheme' | 'reducedMotion' | 'timezoneId'> {
  /** To sign in with; null: the visitor stays at the door. */
  key: string | null;
  /** Where to begin. */
  address?: string;
}

/** Opens the page of a Longhaul in a Chromium of its own, and signs in. Everything ends with the test. */
export async function visit(url: string, { key, address = '#/jobs', ...options }: VisitOptions): Promise<Visit> {
  const browser = await startChromium();
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, timezoneId: 'UTC', ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(patience);
  // Who leaves a screen at once, leaves its socket before it is open.
  const allowed = [/WebSocket is closed before the connection is established/];
  const problems = watchForProblems(page, new URL(url).origin);
  onTestFinished(() => {
    expect(problems.filter((problem) => !allowed.some((pattern) => pattern.test(problem)))).toEqual([]);
  });
  await page.goto(`${url}/${address}`);
  if (key !== null) await signIn(page, key);
  return {
    page,
    open: async (to) => {
      await page.goto(`${url}/${to}`);
    },
    allow: (message) => void allowed.push(message),
    isAccessible: async () => {
      for (const colorScheme of ['light', 'dark'] as const) {
        await page.emulateMedia({ colorScheme });
        expect(await findBarriers(page), colorScheme).toEqual([]);
      }
      await page.emulateMedia({ colorScheme: options.colorScheme ?? 'light' });
    },
  };
}

/** Signs in on the screen that is shown. */
export async function signIn(page: Page, key: string): Promise<void> {
  await page.getByLabel('API key').fill(key);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('navigation', { name: 'Screens' }).waitFor();
}

function watchForProblems(page: Page, origin: string): string[] {
  const problems: string[] = [];
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') problems.push(`${message.type()}: ${message.text()}`);
  });
  page.on('pageerror', (error) => problems.push(`thrown: ${error.message}`));
  page.on('request', (request) => {
    const to = new URL(request.url());
    if (to.origin !== origin && !['data:', 'blob:'].includes(to.protocol)) problems.push(`a request to ${to.origin}`);
  });
  page.on('websocket', (socket) => {
    if (new URL(socket.url()).host !== new URL(origin).host) problems.push(`a socket to ${socket.url()}`);
  });
  return problems;
}

/** What axe finds, in a line each. */
async function findBarriers(page: Page): Promise<string[]> {
  const axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
  const found: { id: string; help: string; nodes: { html: string; failureSummary?: string }[] }[] = await page.evaluate(
    // In the debugger's world, where the page's policy does not hold.
    `(async () => { if (!('axe' in window)) { ${axe}; } return (await axe.run(document, { resultTypes: ['violations'] })).violations; })()`,
  );
  return found.flatMap(({ id, help, nodes }) => nodes.map(({ html, failureSummary }) => `${id}: ${help}: ${html} ${failureSummary ?? ''}`));
}
