import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Locator, Page } from 'playwright-core';
import { hasChromium } from '../support/browser.ts';
import { visit } from '../support/dashboard.ts';
import { type Longhaul, startLonghaul } from '../support/longhaul.ts';

let longhaul: Longhaul;
beforeAll(async () => {
  longhaul = await startLonghaul();
});
afterAll(() => longhaul.stop());

/** A press where the backdrop is. */
async function pressBeside(page: Page): Promise<void> {
  await page.mouse.click(4, 400);
}

/** A press on the dialog itself, at its edge: where it has a scrollbar, on that. */
async function pressEdge(dialog: Locator): Promise<void> {
  const box = await dialog.boundingBox();
  if (box === null) throw new Error('the dialog is not shown');
  await dialog.page().mouse.click(box.x + box.width - 0.5, box.y + box.height / 2);
}

describe.skipIf(!hasChromium())('in Chromium', { timeout: 120_000 }, () => {
  test('a dialog closes by Escape and by a press beside it, not by one on its scrollbar', async () => {
    const visitor = await visit(longhaul.url, { key: longhaul.adminKey, address: '#/types?show=demo' });
    const { page } = visitor;
    const dialog = page.getByRole('dialog', { name: 'demo' });
    await dialog.waitFor();
    await pressEdge(dialog);
    await dialog.getByRole('heading', { name: 'Input' }).click();
    expect(await dialog.isVisible()).toBe(true);
    await pressBeside(page);
    await dialog.waitFor({ state: 'detached' });
    await visitor.open('#/types?show=tool');
    await page.getByRole('dialog', { name: 'tool' }).waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('dialog', { name: 'tool' }).waitFor({ state: 'detached' });
  });

  test('a form stays while it is sent, and a key that is shown once until it was kept', async () => {
    const { page } = await visit(longhaul.url, { key: longhaul.adminKey, address: '#/keys' });
    const asked = Promise.withResolvers<void>();
    const answered = Promise.withResolvers<void>();
    await page.route('**/graphql', async (route) => {
      if (route.request().postData()?.includes('mutation MakeKey') === true) {
        asked.resolve();
        await answered.promise;
      }
      await route.fallback();
    });
    await page.getByRole('button', { name: 'New key' }).click();
    const form = page.getByRole('dialog', { name: 'New key of default' });
    await form.getByLabel('Name').fill('shown once');
    await form.getByRole('button', { name: 'Make key' }).click();
    await asked.promise;
    const tryToClose = async () => {
      await pressBeside(page);
      // The second one a browser takes without asking the page.
      for (const key of ['Escape', 'Escape']) await page.keyboard.press(key);
    };
    await tryToClose();
    await expect.poll(() => form.isVisible()).toBe(true);
    for (const name of ['Close', 'Cancel']) expect(await form.getByRole('button', { name }).isDisabled()).toBe(true);
    answered.resolve();

    const secret = page.getByRole('dialog', { name: 'New key', exact: true });
    await secret.waitFor();
    await tryToClose();
    await expect.poll(() => secret.locator('code').isVisible()).toBe(true);
    await secret.getByRole('button', { name: 'I have kept it' }).click();
    await secret.waitFor({ state: 'detached' });
    await page.getByRole('row', { name: /shown once/ }).waitFor();
  });
});
