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

const notices = (page: Page) => page.getByRole('region', { name: 'Notices' });

const focused = (page: Page) => page.evaluate('document.activeElement.ariaLabel');

/** Listens as a screen reader does: to what comes into live regions that do not lie outside of the modal dialog. @returns what was heard */
async function listen(page: Page): Promise<() => Promise<string>> {
  await page.evaluate(`
    window.heard = [];
    new MutationObserver((changes) => {
      const dialog = [...document.querySelectorAll('dialog:modal')].at(-1) ?? document;
      for (const { target, addedNodes } of changes) {
        const region = (target instanceof Element ? target : target.parentElement)?.closest('[aria-live=polite]');
        if (region != null && dialog.contains(region)) for (const { textContent } of addedNodes) window.heard.push(textContent);
      }
    }).observe(document, { childList: true, subtree: true });`);
  return async () => String(await page.evaluate(`window.heard.join('\\n')`));
}

/** A browser that lets no page copy: what fails stays shown until it is dismissed. */
const forbidCopying = (page: Page) => page.evaluate(`navigator.clipboard.writeText = () => Promise.reject(new Error('forbidden'))`);

/** A job that waits, and who looks at it. */
async function visitJob() {
  const workspace = await longhaul.workspace();
  const { id } = await Tenant.of(longhaul, workspace.id).create();
  const visitor = await visit(longhaul.url, { key: await workspace.key(), address: `#/jobs/job_${id}`, viewport: { width: 360, height: 740 } });
  await visitor.page.getByRole('button', { name: 'Cancel', exact: true }).waitFor();
  return visitor;
}

describe.skipIf(!hasChromium())('in Chromium', { timeout: 120_000 }, () => {
  test('what was told lies above a dialog that opens, and is pressed and dismissed without closing it', async () => {
    const visitor = await visitJob();
    const { page } = visitor;
    await forbidCopying(page);
    await page.getByRole('button', { name: 'Copy id' }).click();
    await notices(page).getByText('does not let this page copy').waitFor();
    await page.keyboard.press('?');
    const dialog = page.getByRole('dialog', { name: 'Keys' });
    await dialog.waitFor();
    await visitor.isAccessible();
    await notices(page).getByText('does not let this page copy').click();
    await dialog.getByRole('button', { name: 'Close' }).focus();
    await page.keyboard.press('Tab');
    expect(await focused(page)).toBe('Dismiss');
    await page.keyboard.press('Enter');
    await notices(page).waitFor({ state: 'detached' });
    expect(await dialog.isVisible()).toBe(true);
    expect(await focused(page)).toBe('Close');
    await page.keyboard.press('Escape');
    await dialog.waitFor({ state: 'detached' });
  });

  test('what is told while a dialog is open, and as it closes, is read out once', async () => {
    const { page } = await visitJob();
    const heard = await listen(page);
    await forbidCopying(page);
    await page.getByRole('button', { name: 'Copy id' }).click();
    await expect.poll(heard).toMatch(/does not let this page copy/);
    await page.getByRole('button', { name: 'Cancel', exact: true }).click();
    await page.getByRole('button', { name: 'Cancel the job' }).click();
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    await expect.poll(heard).toMatch(/Cancelled\. 1 credit refunded\./);
    await page.keyboard.press('?');
    await page.getByRole('dialog', { name: 'Keys' }).waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('dialog', { name: 'Keys' }).waitFor({ state: 'detached' });
    expect((await heard()).split('\n').filter((line) => /copy|refunded/.test(line))).toHaveLength(2);
  });

  test('a secret that could not be copied is told above the dialog that shows it', async () => {
    const workspace = await longhaul.workspace();
    const { page } = await visit(longhaul.url, { key: await workspace.key(), address: '#/webhooks' });
    const heard = await listen(page);
    await forbidCopying(page);
    await page.getByRole('button', { name: 'New signing secret' }).click();
    await page.getByRole('button', { name: 'Make new secret' }).click();
    await page.getByRole('button', { name: 'Copy the secret' }).click();
    await expect.poll(heard).toMatch(/does not let this page copy/);
    await notices(page).getByRole('button', { name: 'Dismiss' }).click();
    await notices(page).waitFor({ state: 'detached' });
    expect(await page.getByRole('dialog').locator('code').isVisible()).toBe(true);
    expect(await focused(page)).toBe('Copy the secret');
  });
});
