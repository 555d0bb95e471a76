import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Page } from 'playwright-core';
import { hasChromium } from '../support/browser.ts';
import { type Visit, visit } from '../support/dashboard.ts';
import { Tenant } from '../support/domain.ts';
import { type Longhaul, startLonghaul } from '../support/longhaul.ts';

let longhaul: Longhaul;
beforeAll(async () => {
  longhaul = await startLonghaul();
});
afterAll(() => longhaul.stop());

/** A workspace with a job that waits, and who looks at it. */
async function visitor(address = '#/jobs'): Promise<Visit> {
  const workspace = await longhaul.workspace();
  await Tenant.of(longhaul, workspace.id).create();
  return visit(longhaul.url, { key: await workspace.key(), address });
}

const focused = (page: Page) => expect.poll(() => page.evaluate('document.activeElement.tagName + ": " + document.activeElement.textContent'));
/** The label of the field that has the focus. */
const field = (page: Page) => expect.poll(() => page.evaluate('document.activeElement.labels?.[0]?.textContent ?? null'));
/** What is wrong with it, as it is read out. */
const reason = (page: Page) => page.evaluate(`document.getElementById(document.activeElement.getAttribute('aria-describedby').split(' ').at(-1)).textContent`);
const chosen = (page: Page) => page.getByRole('region', { name: 'Chosen jobs' });

describe.skipIf(!hasChromium())('in Chromium', { timeout: 120_000 }, () => {
  test('a dialog that a menu has opened gives the focus back to the button of the menu', async () => {
    const { page } = await visitor();
    const menu = page.getByRole('banner').locator('summary');
    const name = await menu.textContent();
    await menu.click();
    await page.getByRole('button', { name: 'Keys (?)' }).click();
    await page.getByRole('dialog', { name: 'Keys' }).waitFor();
    await page.keyboard.press('Escape');
    await focused(page).toBe(`SUMMARY: ${name}`);
  });

  test('where what opened a dialog is gone after it, the heading has the focus', async () => {
    const { page } = await visitor();
    await page.locator('tr[data-job] .open').click();
    await page.getByRole('button', { name: 'Cancel', exact: true }).click();
    await page.getByRole('button', { name: 'Cancel the job' }).click();
    await page.getByRole('button', { name: 'Retry' }).waitFor();
    await focused(page).toBe('H1: fingerprint');
  });

  test('a dialog that follows another gives the focus back to what opened the first', async () => {
    const { page } = await visitor('#/webhooks');
    await page.getByRole('button', { name: 'New signing secret' }).click();
    await page.getByRole('button', { name: 'Make new secret' }).click();
    await page.getByRole('button', { name: 'I have kept it' }).click();
    await focused(page).toBe('BUTTON: New signing secret');
  });

  test('a form begins at its first field, and a refusal leads to the first field that is not right, which says why', async () => {
    const { page, isAccessible } = await visitor('#/schedules');
    await page.getByRole('button', { name: 'New schedule' }).click();
    const form = page.getByRole('dialog', { name: 'New schedule' });
    const make = () => form.getByRole('button', { name: 'Make schedule' }).press('Enter');
    await field(page).toBe('Name');
    await page.keyboard.type('nightly');
    await form.getByLabel('Type').fill('demo');
    await form.getByLabel('Cron').fill('every night');
    await form.getByLabel('Time zone').fill('Mars/Base');
    await form.getByLabel('Input').fill('{');
    await form.getByText('More').click();
    await form.getByLabel('Priority').fill('high');
    await form.getByText('More').click();
    await make();
    await field(page).toBe('Input');
    expect(await reason(page)).toMatch(/This is no JSON:/);
    await form.getByText('Write a whole number, or nothing.').waitFor();
    await isAccessible();
    await form.getByLabel('Input').fill('{ "seconds": "many" }');
    await form.getByLabel('Priority').fill('');
    await make();
    await field(page).toBe('Cron');
    expect(await reason(page)).toMatch(/^is not a cron expression/);
    await form.getByLabel('Cron').fill('0 3 * * *');
    await make();
    await field(page).toBe('Time zone');
    await form.getByLabel('Time zone').fill('Europe/Berlin');
    await make();
    await field(page).toBe('Input');
    expect(await reason(page)).toMatch(/^seconds: /);
    expect(await form.getByRole('alert').count()).toBe(1);
  });

  test('rights that a key cannot have are told at the rights, and the other dialogs begin with what they are for', async () => {
    const { id } = await longhaul.workspace();
    const { page, open, isAccessible } = await visit(longhaul.url, { key: longhaul.adminKey, address: `#/keys?workspace=ws_${id}` });
    await page.getByRole('button', { name: 'New key' }).click();
    await field(page).toBe('Name');
    await page.keyboard.type('reaches far');
    const rights = page.getByRole('group', { name: 'Rights' });
    await page.getByLabel('READ').uncheck();
    expect(await rights.getByRole('alert').textContent()).toMatch(/^Choose at least one/);
    await page.getByLabel('READ').check();
    expect(await rights.getByRole('alert').count()).toBe(0);
    await page.getByLabel('ADMIN').check();
    await page.getByRole('button', { name: 'Make key' }).click();
    await field(page).toMatch(/^READ/);
    expect(await page.getByRole('group', { name: 'Rights' }).getByRole('alert').textContent()).toMatch(/only keys of the workspace/);
    await isAccessible();
    await page.keyboard.press('Escape');
    await open('#/workspaces');
    await page.getByRole('button', { name: 'Change default' }).click();
    await field(page).toBe('Name');
    await page.keyboard.press('Escape');
    await page.getByRole('button', { name: 'Pause default' }).click();
    await focused(page).toBe('BUTTON: Cancel');
    await page.keyboard.press('Escape');
    await open('#/webhooks');
    await page.getByRole('button', { name: 'New signing secret' }).click();
    await page.getByRole('button', { name: 'Make new secret' }).click();
    await focused(page).toBe('BUTTON: Copy');
  });

  test('a button keeps the focus while it does what it was pressed for, and does it once', async () => {
    const workspace = await longhaul.workspace();
    const key = await workspace.key();
    await longhaul.graphql(`mutation { createSchedule(input: { name: "nightly", type: "demo", cron: "0 3 * * *" }) { __typename } }`, {}, key);
    const { page } = await visit(longhaul.url, { key, address: '#/schedules' });
    const asked = Promise.withResolvers<void>();
    const answered = Promise.withResolvers<void>();
    let times = 0;
    await page.route('**/graphql', async (route) => {
      if (route.request().postData()?.includes('mutation ChangeSchedule') === true) {
        times += 1;
        asked.resolve();
        await answered.promise;
      }
      await route.fallback();
    });
    await page.getByRole('button', { name: 'Pause nightly' }).press('Enter');
    await asked.promise;
    await focused(page).toBe('BUTTON: Pause');
    expect(await page.getByRole('button', { name: 'Pause nightly' }).isDisabled()).toBe(true);
    await page.keyboard.press('Enter');
    answered.resolve();
    await page.getByRole('button', { name: 'Resume nightly' }).waitFor();
    await focused(page).toBe('BUTTON: Resume');
    expect(times).toBe(1);
  });

  test('Escape closes a menu and nothing else, also where the focus is not in it', async () => {
    const { page } = await visitor();
    await page.locator('tr[data-job]').getByRole('checkbox').check();
    await page.getByText('Columns', { exact: true }).first().click();
    await page.getByLabel('Dialect').waitFor();
    // As in browsers that give no focus to what is pressed.
    await page.evaluate('document.activeElement.blur()');
    await page.keyboard.press('Escape');
    await page.getByLabel('Dialect').waitFor({ state: 'hidden' });
    expect(await chosen(page).isVisible()).toBe(true);
    await page.keyboard.press('Escape');
    await chosen(page).waitFor({ state: 'detached' });
  });

  test('a button of the chosen jobs that goes away leaves the focus where one goes on', async () => {
    const { page } = await visitor();
    await page.locator('tr[data-job]').getByRole('checkbox').check();
    await page.getByRole('button', { name: 'Choose all that match' }).press('Enter');
    await focused(page).toMatch(/^DIV: All jobs that match/);
    await page.getByRole('button', { name: 'Choose none' }).press('Enter');
    await focused(page).toBe('H1: Jobs');
  });
});
