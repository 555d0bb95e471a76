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
