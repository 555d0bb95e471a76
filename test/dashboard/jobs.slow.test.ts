import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Locator, Page } from 'playwright-core';
import { hasChromium } from '../support/browser.ts';
import { type Visit, visit } from '../support/dashboard.ts';
import { Tenant } from '../support/domain.ts';
import { eventually } from '../support/eventually.ts';
import { type Longhaul, startLonghaul } from '../support/longhaul.ts';

let longhaul: Longhaul;
let tenant: Tenant;
let key: string;
beforeAll(async () => {
  longhaul = await startLonghaul();
});
afterAll(() => longhaul.stop());
beforeEach(async () => {
  const workspace = await longhaul.workspace();
  tenant = Tenant.of(longhaul, workspace.id);
  key = await workspace.key();
});
let visitor: Visit | null = null;
afterEach(() => {
  visitor = null;
});

async function jobsPage(address = '#/jobs', viewport = { width: 1280, height: 800 }): Promise<Page> {
  visitor = await visit(longhaul.url, { key, address, viewport });
  return visitor.page;
}

const rows = (page: Page) => page.locator('tr[data-job]');
const rowOf = (page: Page, { id }: { id: string }) => page.locator(`tr[data-job="job_${id}"]`);
const live = (page: Page) => page.getByRole('button', { name: 'Live' }).waitFor();
const box = (page: Page) => page.getByRole('combobox', { name: /Filter jobs/ });
const text = (locator: Locator, pattern: RegExp) => locator.filter({ hasText: pattern }).waitFor();

/** How many jobs and logs are listened to. */
const watched = () => {
  const { jobs, logs } = longhaul.services.jobs.watched;
  return { jobs, logs };
};

/** For a page that is told that its tab is hidden, or seen again. */
const becomes = (state: 'hidden' | 'visible') =>
  `Object.defineProperty(document, 'hidden', { configurable: true, get: () => ${state === 'hidden'} }); document.dispatchEvent(new Event('visibilitychange'));`;

async function fifty(asked: object = {}, count = 50) {
  return tenant.createAll(Array.from({ length: count }, () => asked));
}

describe.skipIf(!hasChromium())('in Chromium', { timeout: 120_000 }, () => {
  test('rows change in place, new ones wait, and neither scroll nor selection is lost', async () => {
    const jobs = await fifty();
    const page = await jobsPage('#/jobs', { width: 1280, height: 500 });
    await live(page);
    expect(await rows(page).count()).toBe(50);

    const [oldest, next] = jobs;
    if (oldest === undefined || next === undefined) throw new Error('no jobs were created');
    await rowOf(page, next).getByRole('checkbox').check();
    const scrolled = await page.evaluate('scrollY');
    expect(scrolled).toBeGreaterThan(0);

    const held = await tenant.start(oldest);
    await tenant.report(held.token, { percentage: 42, message: 'Cutting' });
    await text(rowOf(page, oldest), /Running.*42 %.*Cutting/s);
    await fifty({}, 3);
    await page.getByRole('button', { name: '3 new' }).waitFor();
    await tenant.complete(held.token);
    await text(rowOf(page, oldest), /Completed/);
    expect(await rows(page).count()).toBe(50);
    expect(await page.evaluate('scrollY')).toBe(scrolled);
    expect(await rowOf(page, next).getByRole('checkbox').isChecked()).toBe(true);
    await visitor?.isAccessible();

    await page.getByRole('button', { name: '3 new' }).click();
    await page.getByRole('button', { name: '3 new' }).waitFor({ state: 'detached' });
    expect(await page.evaluate('scrollY')).toBe(0);
    expect(await rowOf(page, oldest).count()).toBe(0);
    await text(page.getByRole('status'), /1 job chosen/);
  });

  test('it pauses on a key and goes on with all that happened meanwhile', async () => {
    const job = await tenant.create();
    const page = await jobsPage();
    await live(page);
    await page.keyboard.press('p');
    await page.getByRole('button', { name: 'Paused' }).waitFor();
    const held = await tenant.start(job);
    await tenant.fail(held.token, { retryable: false });
    await tenant.create();
    await text(rowOf(page, job), /Pending/);
    await page.keyboard.press('p');
    await text(rowOf(page, job), /Failed.*BROKEN: It broke\./s);
    await page.getByRole('button', { name: '1 new' }).waitFor();
  });

  test('a browser that loses its network says at once that it is not connected, and is live again when it finds one', async () => {
    const tab = await visit(longhaul.url, { key: await (await longhaul.workspace()).key() });
    const { page } = tab;
    tab.allow(/ERR_INTERNET_DISCONNECTED/);
    await page.getByRole('button', { name: 'Live' }).waitFor();
    await page.context().setOffline(true);
    await page.getByRole('button', { name: 'Not connected' }).waitFor();
    await page.context().setOffline(false);
    await page.getByRole('button', { name: 'Live' }).waitFor();
  });

  test('a hidden tab lets go of its socket after a minute, and misses nothing', async () => {
    const job = await tenant.create();
    const page = await jobsPage();
    await live(page);
    await eventually(() => expect(longhaul.services.jobs.watched.workspaces).toBe(1));
    await page.clock.install();
    await page.evaluate(becomes('hidden'));
    await page.clock.fastForward(61_000);
    await vi.waitFor(() => expect(longhaul.services.jobs.watched.workspaces).toBe(0), { timeout: 10_000 });
    await tenant.cancel(job.id);
    await tenant.create();
    await page.evaluate(becomes('visible'));
    await text(rowOf(page, job), /Cancelled/);
    await page.getByRole('button', { name: '1 new' }).waitFor();
  });

  test('a hidden tab lets go of the job and the log that it shows, and goes on with both', async () => {
    const job = await tenant.create();
    const held = await tenant.start(job);
    const page = await jobsPage(`#/jobs/job_${job.id}`);
    await vi.waitFor(() => expect(watched()).toEqual({ jobs: 1, logs: 1 }), { timeout: 20_000 });
    await page.clock.install();
    await page.evaluate(becomes('hidden'));
    await page.clock.fastForward(61_000);
    await vi.waitFor(() => expect(watched()).toEqual({ jobs: 0, logs: 0 }), { timeout: 20_000 });
    await tenant.report(held.token, { percentage: 42, message: 'Cutting' });
    await page.evaluate(becomes('visible'));
    await text(page.getByRole('region', { name: 'State' }), /42 %.*Cutting/s);
    await vi.waitFor(() => expect(watched()).toEqual({ jobs: 1, logs: 1 }), { timeout: 20_000 });
  });

  test('filters stand in the address, are completed, hold for what is new, and pages go on behind a cursor', async () => {
    await fifty({ type: 'comments' });
    const wanted = await tenant.createAll(Array.from({ length: 60 }, (_none, at) => ({ tags: ['night shift', `n:${at}`] })));
    const page = await jobsPage();
    await live(page);
    await page.keyboard.press('/');
    await page.keyboard.type('ty');
    await page.getByRole('option', { name: /^type:/ }).waitFor();
    await page.keyboard.press('Tab');
    await page.keyboard.type('fing');
    await page.getByRole('option', { name: 'type:fingerprint' }).waitFor();
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('Enter');
    await page.keyboard.type('tag:"night shift"');
    await page.keyboard.press('Enter');
    await page.waitForURL('**/#/jobs?type=fingerprint&tag=night+shift');
    await text(rows(page).first(), /n:59/);

    await page.getByRole('link', { name: 'Older' }).click();
    await text(rows(page).first(), /n:9/);
    expect(await rows(page).count()).toBe(10);
    await page.goBack();
    await text(rows(page).first(), /n:59/);

    await tenant.create({ type: 'comments' });
    await tenant.create({ tags: ['night shift', 'late'] });
    await page.getByRole('button', { name: '1 new' }).click();
    await text(rows(page).first(), /late/);

    await box(page).fill('status:RUNNING');
    await box(page).press('Enter');
    await page.getByRole('heading', { name: 'No job matches' }).waitFor();
    const [first] = wanted;
    if (first === undefined) throw new Error('no jobs were created');
    await tenant.start(first);
    await page.getByRole('button', { name: '1 new' }).click();
    await text(rowOf(page, first), /Running/);
    // It can only become one thing.
    await box(page).fill('status:FAI');
    await box(page).press('Enter');
    await page.waitForURL('**/#/jobs?status=FAILED');
    await box(page).fill('status:DONE');
    await box(page).press('Enter');
    await text(page.getByRole('alert'), /There is no status DONE/);
  });

  test('the box opens whatever id is pasted, and a reference', async () => {
    const [job] = await tenant.createAll([{ clientReference: 'order 7' }, { clientReference: 'twice' }, { clientReference: 'twice' }]);
    if (job === undefined) throw new Error('no job was created');
    const page = await jobsPage();
    for (const id of [job.id, `job_${job.id}`, '"order 7"']) {
      await box(page).fill(id);
      await box(page).press('Enter');
      await page.waitForURL(`**/#/jobs/job_${job.id}`);
      await page.goBack();
    }
    await box(page).fill('twice');
    await box(page).press('Enter');
    await page.waitForURL('**/#/jobs?reference=twice');
    await rows(page).nth(2).waitFor({ state: 'detached' });
    expect(await rows(page).count()).toBe(2);
    await box(page).fill('nothing-like-it');
    await box(page).press('Enter');
    await text(page.getByRole('alert'), /No job has the id or the reference nothing-like-it/);
  });

  test('jobs are chosen by keys and by mouse, and all that match are cancelled after their number was shown and the deed typed', async () => {
    await fifty({ tags: ['old'] }, 120);
    await fifty({}, 5);
    const page = await jobsPage();
    await live(page);
    for (const press of ['j', 'j', 'x', 'J']) await page.keyboard.press(press);
    await text(page.getByRole('status'), /2 jobs chosen/);
    await rows(page).nth(5).getByRole('checkbox').click();
    await rows(page).nth(8).getByRole('checkbox').click({ modifiers: ['Shift'] });
    await text(page.getByRole('status'), /6 jobs chosen/);
    await page.keyboard.press('c');
    await page.getByRole('button', { name: 'Cancel 6 jobs' }).waitFor();
    await page.keyboard.press('Escape');
    await page.keyboard.press('A');
    await text(page.getByRole('status'), /All jobs that match/);
    await page.keyboard.press('Escape');
    await page.getByRole('region', { name: 'Chosen jobs' }).waitFor({ state: 'detached' });

    await rows(page).nth(0).getByRole('checkbox').check();
    await page.getByRole('button', { name: 'Cancel', exact: true }).click();
    await page.getByRole('button', { name: 'Cancel 1 job' }).click();
    await page.getByRole('dialog').filter({ hasText: /Completed: 1 cancelled/ }).waitFor();
    await page.getByRole('button', { name: 'Close' }).last().click();
    await text(rows(page).nth(0), /Cancelled/);

    await visitor?.open('#/jobs?tag=old');
    await text(rows(page).first(), /old/);
    await page.keyboard.press('a');
    await page.getByRole('button', { name: 'Choose all that match' }).click();
    await page.getByRole('button', { name: 'Cancel', exact: true }).click();
    const deed = page.getByRole('button', { name: 'Cancel 120 jobs' });
    await deed.waitFor();
    expect(await deed.isDisabled()).toBe(true);
    await visitor?.isAccessible();
    await page.getByLabel('Reason').fill('The night is over.');
    await page.getByLabel(/These are many/).fill('cancel');
    await deed.click();
    await page.getByRole('dialog').filter({ hasText: /Completed: 120 cancelled/ }).waitFor();
    await page.getByRole('button', { name: 'Close' }).last().click();
    await text(rows(page).first(), /Cancelled.*The night is over\./s);

    // Who goes to other jobs has chosen none of them.
    await page.keyboard.press('a');
    await page.getByRole('button', { name: 'Choose all that match' }).click();
    await visitor?.open('#/jobs?status=PENDING');
    await page.getByRole('region', { name: 'Chosen jobs' }).waitFor({ state: 'detached' });
  });

  test('a key that only reads is offered nothing else, and the columns are chosen', async () => {
    await tenant.create();
    const reader = await longhaul.workspace();
    key = await reader.key({ scopes: ['READ'] });
    await Tenant.of(longhaul, reader.id).create();
    const page = await jobsPage('#/jobs', { width: 360, height: 740 });
    await live(page);
    expect(await page.getByRole('checkbox').count()).toBe(0);
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(360);
    await visitor?.isAccessible();
    await page.setViewportSize({ width: 1280, height: 800 });
    await page.getByText('Columns').first().click();
    await page.getByLabel('Dialect').check();
    await page.getByRole('columnheader', { name: 'Dialect' }).waitFor();
    await page.reload();
    await page.getByRole('columnheader', { name: 'Dialect' }).waitFor();
    await page.keyboard.press('?');
    await page.getByRole('dialog', { name: 'Keys' }).filter({ hasText: 'Pause updates' }).waitFor();
    await visitor?.isAccessible();
  });
});
