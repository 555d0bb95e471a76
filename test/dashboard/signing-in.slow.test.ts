import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { hasChromium } from '../support/browser.ts';
import { visit } from '../support/dashboard.ts';
import { type Longhaul, startLonghaul } from '../support/longhaul.ts';

let longhaul: Longhaul;
beforeAll(async () => {
  longhaul = await startLonghaul();
});
afterAll(() => longhaul.stop());

describe.skipIf(!hasChromium())('in Chromium', { timeout: 120_000 }, () => {
  test('who has a key signs in once, sees what was asked for, and signs out', async () => {
    const visitor = await visit(longhaul.url, { key: null, address: '#/jobs?status=FAILED' });
    const { page } = visitor;
    await page.getByLabel('API key').waitFor();
    await visitor.isAccessible();

    visitor.allow(/401/);
    await page.getByLabel('API key').fill('lh_wrong');
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByRole('alert').filter({ hasText: 'No key like this works here' }).waitFor();

    await page.getByLabel('API key').fill(longhaul.adminKey);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByRole('heading', { name: 'Jobs' }).waitFor();
    expect(page.url()).toContain('#/jobs?status=FAILED');
    // The key is nowhere where a script could find it.
    expect(await page.evaluate('JSON.stringify({ ...localStorage }) + document.cookie')).not.toContain(longhaul.adminKey);

    await page.reload();
    await page.getByRole('heading', { name: 'Jobs' }).waitFor();
    await visitor.isAccessible();
    await page.getByText('default', { exact: true }).click();
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByLabel('API key').waitFor();
    await page.reload();
    await page.getByLabel('API key').waitFor();
  });
});
