import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { hasChromium } from '../support/browser.ts';
import { visit } from '../support/dashboard.ts';
import { Tenant } from '../support/domain.ts';
import { type Longhaul, startLonghaul } from '../support/longhaul.ts';

/* What somebody else has written may be long, or from right to left. It leaves room for the rest. */

const type = `a-type-that-${'goes-on-and-on-'.repeat(5)}`.slice(0, 80);

let longhaul: Longhaul;
let tenant: Tenant;
let key: string;
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'longhaul-types-'));
  const file = join(folder, 'types.json');
  await writeFile(file, JSON.stringify([{ name: type, credits: 0 }]));
  longhaul = await startLonghaul({ JOB_TYPES: file });
  const workspace = await longhaul.workspace();
  tenant = Tenant.of(longhaul, workspace.id);
  key = await workspace.key();
});
afterAll(async () => {
  await longhaul.stop();
  await rm(folder, { recursive: true, force: true });
});

/** How much of a table can only be seen by scrolling sideways, in pixels. */
function hidden(page: Page): Promise<number> {
  return page.evaluate(`(({ scrollWidth, clientWidth }) => scrollWidth - clientWidth)(document.querySelector('.table-frame'))`);
}

describe.skipIf(!hasChromium())('in Chromium', { timeout: 120_000 }, () => {
  test('a long name of a type pushes no column out of sight, and can be read whole', async () => {
    const { token } = await tenant.running({ type });
    await tenant.report(token, { percentage: 40, message: 'Looking at every frame' });
    const { page, open } = await visit(longhaul.url, { key });
    for (const screen of ['jobs', 'types', 'overview']) {
      await open(`#/${screen}`);
      await page.locator('table').getByText(type).first().waitFor();
      expect(await page.locator('table').getByText(type).first().getAttribute('title')).toBe(type);
      expect(await hidden(page), screen).toBe(0);
    }
    await page.setViewportSize({ width: 360, height: 740 });
    await open('#/jobs');
    await page.getByText(type).first().waitFor();
    expect(await hidden(page)).toBe(0);
    const [name, created] = await Promise.all(['.of-type', '.of-created'].map((cell) => page.locator(cell).first().boundingBox()));
    expect(created?.y).toBe(name?.y);
  });

  test('of the long message of an attempt the beginning is shown, and all of it to who asks', async () => {
    const { job, token } = await tenant.running({ maxAttempts: 1 });
    await tenant.fail(token, { message: `${'It broke, and '.repeat(200)}that is all.` });
    const { page, isAccessible } = await visit(longhaul.url, { key, address: `#/jobs/job_${job.id}` });
    const attempts = page.getByRole('region', { name: 'Attempts' });
    await attempts.getByText('It broke').waitFor();
    expect(await attempts.textContent()).not.toContain('that is all.');
    expect(await attempts.textContent()).not.toContain('runs');
    await attempts.getByRole('button', { name: 'Show all' }).click();
    await attempts.getByText('that is all.').waitFor();
    await isAccessible();
  });

  test('a name and a value from right to left keep their places in the tree', async () => {
    const { id } = await tenant.create({ type, input: { 'مفتاح': 'قيمة' } });
    const { page } = await visit(longhaul.url, { key, address: `#/jobs/job_${id}` });
    const row = page.getByRole('tree', { name: 'Input' }).getByRole('treeitem').last();
    const [name, value] = await Promise.all(['.json-name', '.json-value'].map((part) => row.locator(part).boundingBox()));
    expect(name?.x).toBeLessThan(value?.x ?? 0);
  });
});
