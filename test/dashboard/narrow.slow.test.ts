import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Locator, Page } from 'playwright-core';
import { hasChromium } from '../support/browser.ts';
import { type Visit, visit } from '../support/dashboard.ts';
import { Tenant } from '../support/domain.ts';
import { type Longhaul, startLonghaul, type TestWorkspace } from '../support/longhaul.ts';

/* What is out of reach or cut off on a telephone. */

let longhaul: Longhaul;
let workspace: TestWorkspace;
let tenant: Tenant;
beforeAll(async () => {
  longhaul = await startLonghaul();
});
afterAll(() => longhaul.stop());
beforeEach(async () => {
  workspace = await longhaul.workspace();
  tenant = Tenant.of(longhaul, workspace.id);
});

function visitBy(key: string, address: string): Promise<Visit> {
  return visit(longhaul.url, { key, address, viewport: { width: 360, height: 740 } });
}

async function telephone(address: string): Promise<Page> {
  return (await visitBy(await workspace.key(), address)).page;
}

async function boxOf(part: Locator) {
  const box = await part.boundingBox();
  if (box === null) throw new Error('it is not shown');
  return { ...box, bottom: box.y + box.height };
}

/** How much of what matches this selector, in pixels, can only be seen by scrolling sideways. */
const hidden = (page: Page, selector: string) =>
  page.evaluate(`(({ scrollWidth, clientWidth }) => scrollWidth - clientWidth)(document.querySelector('${selector}'))`);

describe.skipIf(!hasChromium())('in Chromium', { timeout: 120_000 }, () => {
  test('the whole page of jobs is chosen, and what is done to them covers neither the last row nor the way on', async () => {
    await tenant.createAll(Array.from({ length: 60 }, () => ({})));
    const page = await telephone('#/jobs');
    await page.getByRole('checkbox', { name: 'All jobs on this page' }).check();
    const bar = page.getByRole('region', { name: 'Chosen jobs' });
    await bar.filter({ hasText: '50 jobs chosen' }).waitFor();
    await page.evaluate('scrollTo(0, document.documentElement.scrollHeight)');
    const top = (await boxOf(bar)).y;
    expect((await boxOf(page.getByRole('link', { name: 'Older' }))).bottom).toBeLessThanOrEqual(top);
    expect((await boxOf(page.locator('tr[data-job]').last())).bottom).toBeLessThanOrEqual(top);
    await page.evaluate('scrollTo(0, 0)');
    expect((await boxOf(bar)).bottom).toBeLessThanOrEqual(740);
  });

  test('that there are new jobs is told below the head, however far one has scrolled', async () => {
    await tenant.createAll(Array.from({ length: 50 }, () => ({})));
    const page = await telephone('#/jobs');
    await page.getByRole('button', { name: 'Live' }).waitFor();
    await page.evaluate('scrollTo(0, 900)');
    await tenant.create();
    const told = page.getByRole('button', { name: '1 new' });
    await told.waitFor();
    expect((await boxOf(told)).y).toBeGreaterThanOrEqual((await boxOf(page.getByRole('banner'))).bottom);
  });

  test('that the server is away moves nothing', async () => {
    // The name of this workspace leaves no room for it.
    const { page, allow } = await visitBy(longhaul.adminKey, '#/webhooks');
    await page.getByText('No webhooks yet').waitFor();
    const { bottom } = await boxOf(page.getByRole('banner'));
    allow(/Failed to load resource/);
    await page.route('**/graphql', (route) => route.abort());
    await page.getByRole('button', { name: 'Refresh' }).click();
    await page.getByText('Server not reachable').waitFor();
    expect((await boxOf(page.getByRole('banner'))).bottom).toBe(bottom);
  });

  test('every column that is chosen has its name, and what is long is broken', async () => {
    await tenant.create({ clientReference: `customer/${'long-'.repeat(40)}` });
    const page = await telephone('#/jobs');
    await page.getByText('Columns', { exact: true }).first().click();
    for (const column of ['Changed', 'Reference', 'Id']) await page.getByLabel(column, { exact: true }).check();
    // What stands before a cell is read out as well.
    await page.getByRole('cell', { name: /^Reference customer/ }).waitFor();
    expect(await hidden(page, '.table-frame')).toBe(0);
    await page.keyboard.press('Escape');
    await page.getByRole('combobox').click();
    const names = page.getByRole('option').locator('span:first-child');
    for (const name of await names.all()) expect((await boxOf(name)).height).toBeLessThan(24);
  });

  test('a menu opens within the page, wherever its button has come to stand', async () => {
    const held = await tenant.running();
    await tenant.complete(held.token);
    const page = await telephone('#/jobs');
    await page.locator('tr[data-job] .open').click();
    await page.getByText('Copy as').click();
    const command = await boxOf(page.getByRole('button', { name: 'Command' }));
    expect(command.x + command.width).toBeLessThanOrEqual(360);
    expect(await hidden(page, 'html')).toBe(0);
  });

  test('each row of a table is a card with the names of its columns, and what can be done is in it', async () => {
    await longhaul.graphql(`mutation ($name: String!) { createSchedule(input: { name: $name, type: "demo", cron: "0 3 * * *" }) { __typename } }`, { name: 'n'.repeat(120) }, longhaul.adminKey);
    const { id } = await tenant.create({ webhookUrl: `https://example.com/${'path/'.repeat(30)}` });
    await longhaul.graphql('mutation ($id: ID!) { cancelJob(input: { id: $id }) { __typename } }', { id: `job_${id}` }, await workspace.key());
    const isWhole = async (page: Page, buttons: RegExp, cell: RegExp) => {
      const table = page.getByRole('table');
      await table.getByRole('row').getByRole('cell', { name: cell }).first().waitFor();
      expect(await hidden(page, '.table-frame')).toBe(0);
      for (const button of await table.getByRole('button', { name: buttons }).all()) {
        const { x, width } = await boxOf(button);
        expect(x + width).toBeLessThanOrEqual(348);
      }
      expect(await table.getByRole('button', { name: buttons }).count()).toBeGreaterThan(0);
    };
    await isWhole(await telephone('#/webhooks'), /^Redeliver/, /^To https:/);
    const { page, open } = await visitBy(longhaul.adminKey, '#/schedules');
    await isWhole(page, /^(Run now|Pause)/, /^When 0 3/);
    await open('#/keys');
    await isWhole(page, /^Revoke/, /^Rights READ/);
    await open('#/audit');
    await page.getByRole('cell', { name: /^Details cron: .*nnn/ }).first().waitFor();
    expect(await hidden(page, '.table-frame')).toBe(0);
    await open('#/types?show=demo');
    await page.getByRole('dialog').getByRole('cell', { name: /^Meaning The step/ }).waitFor();
    expect(await hidden(page, 'dialog .table-frame')).toBe(0);
  });

  test('what is told covers no button of a tall dialog', async () => {
    const key = await workspace.key();
    await longhaul.graphql(`mutation { createSchedule(input: { name: "nightly", type: "demo", cron: "0 3 * * *" }) { __typename } }`, {}, key);
    const { page } = await visitBy(key, '#/schedules');
    await page.getByRole('link', { name: 'nightly' }).click();
    await page.evaluate(`navigator.clipboard.writeText = () => Promise.reject(new Error('forbidden'))`);
    for (const _ of [1, 2]) await page.getByRole('button', { name: 'Copy the input' }).click();
    await page.getByRole('button', { name: 'Dismiss' }).nth(1).waitFor();
    await page.getByRole('button', { name: 'Change', exact: true }).click();
    const dialog = page.getByRole('dialog', { name: 'Change nightly' });
    await dialog.getByText('More').click();
    // Each can be pressed where it lies.
    for (const name of ['Cancel', 'Change schedule', 'Close']) await dialog.getByRole('button', { name }).click({ trial: true });
    // The field that the focus goes to does not come to lie under it.
    await dialog.getByLabel('Cron').fill('every night');
    await dialog.getByRole('button', { name: 'Change schedule' }).click();
    await dialog.getByText('is not a cron expression').waitFor();
    const notice = await boxOf(page.locator('.notice:visible'));
    await expect.poll(async () => (await boxOf(dialog.getByLabel('Cron'))).y).toBeGreaterThanOrEqual(notice.bottom);
    for (const _ of [1, 2]) await dialog.getByRole('button', { name: 'Dismiss' }).click();
    await page.getByRole('region', { name: 'Notices' }).waitFor({ state: 'detached' });
  });

  test('a dialog with a long name in its title can be read whole', async () => {
    const key = await workspace.key();
    const name = 'unbreakable_'.repeat(12);
    const query = 'mutation ($name: String!) { createSchedule(input: { name: $name, type: "demo", cron: "0 3 * * *" }) { __typename } }';
    await longhaul.graphql(query, { name }, key);
    const page = await telephone('#/schedules');
    await page.getByRole('link', { name }).click();
    await page.getByRole('button', { name: 'Delete' }).click();
    const dialog = page.getByRole('dialog', { name: `Delete ${name}?` });
    await dialog.waitFor();
    expect(await hidden(page, 'dialog')).toBe(0);
  });
});
