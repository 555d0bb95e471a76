import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Page } from 'playwright-core';
import { hasChromium } from '../support/browser.ts';
import { visit } from '../support/dashboard.ts';
import { Tenant } from '../support/domain.ts';
import { type Longhaul, startLonghaul } from '../support/longhaul.ts';

let longhaul: Longhaul;
beforeAll(async () => {
  longhaul = await startLonghaul();
});
afterAll(() => longhaul.stop());

const focused = (page: Page) => page.evaluate('document.activeElement.tagName + ": " + document.activeElement.textContent');

describe.skipIf(!hasChromium())('in Chromium', { timeout: 120_000 }, () => {
  test('on another screen the keyboard goes on from its heading', async () => {
    const workspace = await longhaul.workspace();
    const tenant = Tenant.of(longhaul, workspace.id);
    await tenant.create({ type: 'comments' });
    const { page } = await visit(longhaul.url, { key: await workspace.key() });
    await page.locator('tr[data-job] .open').click();
    await expect.poll(() => focused(page)).toBe('H1: comments');
    await page.keyboard.press('g');
    await page.keyboard.press('c');
    await expect.poll(() => focused(page)).toBe('H1: Credits');
    await page.goBack();
    await expect.poll(() => focused(page)).toBe('H1: comments');
    // A filter is no other screen.
    await page.getByRole('link', { name: 'Webhooks' }).click();
    await page.getByLabel('Which deliveries').focus();
    await page.getByLabel('Which deliveries').selectOption('Failed');
    await page.waitForURL('**/#/webhooks?status=FAILED');
    await page.getByRole('heading', { name: 'None of these' }).waitFor();
    expect(await focused(page)).toMatch(/^SELECT/);
  });

  test('a screen that is opened while the server is away comes by itself when it is back', async () => {
    const { page, allow } = await visit(longhaul.url, { key: longhaul.adminKey });
    allow(/Failed to load resource|Failed to fetch/);
    await page.getByRole('button', { name: 'Live' }).waitFor();
    const away = (url: URL) => url.origin === new URL(longhaul.url).origin;
    await page.route(away, (route) => route.abort());
    await page.getByRole('link', { name: 'Types' }).click();
    await page.getByRole('alert').filter({ hasText: 'The server could not be reached' }).waitFor();
    // Pressed in vain, the page stays.
    await page.getByRole('button', { name: 'Try again' }).click();
    await page.unroute(away);
    await page.getByRole('heading', { name: 'Types' }).waitFor();
    expect(page.url()).toContain('#/types');
  });

  test('a screen that waits because the key has asked too often says so', async () => {
    const { page, allow } = await visit(longhaul.url, { key: longhaul.adminKey });
    allow(/429/);
    await page.getByRole('button', { name: 'Live' }).waitFor();
    const refusal = { errors: [{ message: 'Too many requests.', extensions: { code: 'RATE_LIMITED' } }] };
    await page.route('**/graphql', (route) => route.fulfill({ status: 429, headers: { 'retry-after': '1' }, json: refusal }));
    await page.getByRole('link', { name: 'Types' }).click();
    await page.getByRole('status').filter({ hasText: 'Too many requests' }).waitFor();
    await page.unroute('**/graphql');
    await page.getByRole('cell', { name: 'demo', exact: true }).waitFor();
    expect(await page.getByText('Too many requests').count()).toBe(0);
  });

  test('who opens a screen that the key is not for is told which it takes', async () => {
    const workspace = await longhaul.workspace();
    const visitor = await visit(longhaul.url, { key: await workspace.key({ scopes: ['READ'] }), address: '#/keys' });
    const { page } = visitor;
    await page.getByText('It takes a key with the scope ADMIN.').waitFor();
    await visitor.isAccessible();
    await visitor.open('#/new?type=demo');
    await page.getByText('It takes a key with the scope WRITE.').waitFor();
    await visitor.open('#/jobs/job_none');
    await page.getByRole('heading', { name: 'There is no such job' }).waitFor();
    await visitor.isAccessible();
  });
});
