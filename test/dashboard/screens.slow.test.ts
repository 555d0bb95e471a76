import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { hasChromium } from '../support/browser.ts';
import { visit } from '../support/dashboard.ts';
import { Tenant } from '../support/domain.ts';
import { eventually } from '../support/eventually.ts';
import { type Longhaul, startLonghaul } from '../support/longhaul.ts';
import { startReceiver, status } from '../support/receiver.ts';

/*
 * Every screen but those of jobs, with something to show on each: who works, what waits for a worker, schedules, bulk actions, webhooks
 * that fail.
 */

let longhaul: Longhaul;
beforeAll(async () => {
  longhaul = await startLonghaul({ OUTBOUND_ALLOW: '127.0.0.1' });
});
afterAll(() => longhaul.stop());

const schedule = `mutation ($input: CreateScheduleInput!) { createSchedule(input: $input) { ... on CreateSchedulePayload { schedule { id } } } }`;

/** Jobs that wait, run, have ended and told a webhook in vain; a worker; a schedule; a bulk action. */
async function fillWithAll(webhookUrl: string): Promise<void> {
  const jobs = [...Array.from({ length: 3 }, () => ({ type: 'demo' })), { type: 'analysis', input: { sourceUrl: 'https://example.com/film.mp4' } }, { type: 'demo', tags: ['told'], webhookUrl }];
  await longhaul.graphql(`mutation ($jobs: [CreateJobInput!]!) { createJobs(input: { jobs: $jobs }) { __typename } }`, { jobs });
  await longhaul.graphql(`mutation { startBulkAction(input: { kind: CANCEL, filter: { tags: ["told"] }, reason: "a trial" }) { __typename } }`);
  await longhaul.graphql(`mutation { claimJobs(input: { workerId: "render-1", types: ["demo"] }) { __typename } }`);
  await longhaul.graphql(schedule, { input: { name: 'nightly', type: 'demo', cron: '0 3 * * *', timeZone: 'Europe/Berlin' } });
}

describe.skipIf(!hasChromium())('in Chromium', () => {
  test('every screen shows what there is, in both themes, wide and narrow, without a barrier', async () => {
    // Gone: it is not tried again.
    const { url } = await startReceiver(status(410));
    await fillWithAll(url);
    const visitor = await visit(longhaul.url, { key: longhaul.adminKey, address: '#/overview' });
    const { page } = visitor;
    const shown: [address: string, heading: string, text: string | RegExp][] = [
      ['#/webhooks?status=FAILED', 'Webhooks', 'job.cancelled'],
      ['#/overview', 'Overview', /of type analysis cannot start: no worker takes this type/],
      // Two passes take longer than the minute in which a worker counts as alive.
      ['#/workers?show=all', 'Workers', 'render-1'],
      ['#/types', 'Types', 'renovation-timelapse'],
      ['#/types?show=demo', 'Types', 'The step at which it fails'],
      ['#/schedules', 'Schedules', 'nightly'],
      ['#/bulk', 'Bulk actions', 'a trial'],
      ['#/credits', 'Credits', 'Refund for a job'],
      ['#/workspaces', 'Workspaces', 'no limit'],
      ['#/keys', 'Keys of default', 'ADMIN_API_KEY'],
      ['#/audit?about=Bulk+actions', 'Audit of default', 'bulk_action.start'],
    ];
    for (const width of [1280, 360]) {
      await page.setViewportSize({ width, height: 800 });
      for (const [address, heading, text] of shown) {
        await visitor.open(address);
        await page.getByRole('heading', { name: heading, level: 1 }).waitFor();
        await eventually(async () => {
          if ((await page.getByText(text).count()) > 0) return;
          await page.getByRole('button', { name: 'Refresh' }).click();
          throw new Error(`${address} does not show ${String(text)}`);
        });
        // What has to come has come: the charts, too.
        await eventually(async () => expect(await page.locator('.loading').count()).toBe(0));
        await visitor.isAccessible();
        expect(await page.evaluate('document.documentElement.scrollWidth - window.innerWidth'), address).toBeLessThanOrEqual(0);
        if (address.includes('show=')) await page.keyboard.press('Escape');
      }
    }
  }, 240_000);

  test('charts have their figures in a table, in the chosen time zone', async () => {
    const { page } = await visit(longhaul.url, { key: longhaul.adminKey, address: '#/overview?range=24h', timezoneId: 'Asia/Tokyo' });
    await page.getByRole('img', { name: /Jobs that ended, per hour/ }).waitFor();
    await page.getByText('As a table').click();
    const rows = page.getByRole('region', { name: 'Statistics of each hour' }).getByRole('row');
    const hour = await rows.nth(1).locator('time').getAttribute('datetime');
    const shownIn = async (timeZone: string) => {
      const text = (await rows.nth(1).locator('time').textContent()) ?? '';
      const clock = new Intl.DateTimeFormat('sv-SE', { timeZone, timeStyle: 'short' }).format(new Date(hour ?? 0));
      expect(text).toContain(clock);
    };
    await shownIn('Asia/Tokyo');
    await page.getByText('default', { exact: true }).click();
    await page.getByRole('combobox', { name: 'Times' }).selectOption('UTC');
    await eventually(() => shownIn('UTC'));
    expect(page.url()).toContain('range=24h');
  });

  test('an administrator pauses a type, makes, runs and deletes a schedule, makes and revokes a key', async () => {
    const visitor = await visit(longhaul.url, { key: longhaul.adminKey, address: '#/types' });
    const { page } = visitor;
    await page.getByRole('button', { name: 'Pause fingerprint' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Pause', exact: true }).click();
    await page.getByRole('button', { name: 'Resume fingerprint' }).waitFor();
    const { data } = await longhaul.graphql('{ jobTypes { name paused } }');
    expect(data).toMatchObject({ jobTypes: expect.arrayContaining([{ name: 'fingerprint', paused: true }]) });
    await page.getByRole('button', { name: 'Resume fingerprint' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Resume', exact: true }).click();
    await page.getByRole('button', { name: 'Pause fingerprint' }).waitFor();

    await visitor.open('#/schedules');
    await page.getByRole('button', { name: 'New schedule' }).click();
    const form = page.getByRole('dialog');
    await form.getByLabel('Name').fill('hourly');
    await form.getByLabel('Type').fill('demo');
    await form.getByLabel('Cron').fill('every hour');
    await form.getByLabel('Time zone').fill('Europe/Berlin');
    await form.getByLabel('Input').fill('{ "seconds": 1');
    await form.getByRole('button', { name: 'Make schedule' }).click();
    await form.getByText(/This is no JSON/).waitFor();
    await form.getByLabel('Input').fill('{ "seconds": 1 }');
    await form.getByRole('button', { name: 'Make schedule' }).click();
    await form.locator('.field', { has: page.getByLabel('Cron') }).getByRole('alert').waitFor();
    await visitor.isAccessible();
    await form.getByLabel('Cron').fill('0 * * * *');
    await form.getByRole('button', { name: 'Make schedule' }).click();
    await page.getByRole('heading', { name: 'hourly', level: 1 }).waitFor();
    expect(page.url()).toContain('#/schedules/schedule_');
    await page.getByRole('button', { name: 'Run now: hourly' }).click();
    await page.getByRole('region', { name: 'Last jobs' }).getByText('Pending').waitFor();
    await visitor.isAccessible();
    await page.getByRole('button', { name: 'Delete' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Delete schedule' }).click();
    await page.getByRole('heading', { name: 'Schedules', level: 1 }).waitFor();
    await page.getByRole('link', { name: 'hourly', exact: true }).waitFor({ state: 'detached' });

    await visitor.open('#/keys');
    await page.getByRole('button', { name: 'New key' }).click();
    await page.getByRole('dialog').getByLabel('Name').fill('a visitor');
    await visitor.isAccessible();
    await page.getByRole('dialog').getByRole('button', { name: 'Make key' }).click();
    const secret = (await page.getByRole('dialog', { name: 'New key' }).locator('.secret code').textContent()) ?? '';
    expect((await longhaul.graphql('{ viewer { scopes } }', {}, secret)).data).toEqual({ viewer: { scopes: ['READ'] } });
    await page.getByRole('button', { name: 'I have kept it' }).click();
    await page.getByRole('button', { name: 'Revoke a visitor' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Revoke key' }).click();
    await page.getByRole('row', { name: /a visitor/ }).getByText('Revoked').waitFor();
    expect((await longhaul.graphql('{ viewer { scopes } }', {}, secret)).status).toBe(401);
  }, 120_000);

  test('a worker leads to the jobs that it holds', async () => {
    await longhaul.graphql(`mutation { createJob(input: { type: "demo", tags: ["held"] }) { __typename } }`);
    await longhaul.graphql(`mutation { claimJobs(input: { workerId: "render-2", types: ["demo"], waitSeconds: 5 }) { __typename } }`);
    const visitor = await visit(longhaul.url, { key: longhaul.adminKey, address: '#/workers' });
    const { page } = visitor;
    const held = page.getByRole('button', { name: '1 job of render-2' });
    await eventually(async () => {
      await page.getByRole('button', { name: 'Refresh' }).click();
      expect(await held.count()).toBe(1);
    });
    await held.click();
    await page.getByRole('dialog').getByRole('link', { name: /^job_/ }).waitFor();
    await visitor.isAccessible();
    await page.getByRole('dialog').getByRole('link', { name: /^job_/ }).click();
    await eventually(() => expect(page.url()).toContain('#/jobs/job_'));
  });

  test('a job that waits says whether anybody takes its type', async () => {
    const workspace = await longhaul.workspace();
    const tenant = Tenant.of(longhaul, workspace.id);
    const first = await tenant.create({ type: 'comments' });
    const { id } = await tenant.create({ type: 'comments' });
    const { page } = await visit(longhaul.url, { key: await workspace.key(), address: `#/jobs/job_${id}` });
    await page.getByText('Waits for a worker. None takes this type now.').waitFor();
    expect(await tenant.claim({ types: ['comments'], limit: 1 })).toMatchObject([{ job: { id: first.id } }]);
    await eventually(async () => {
      // As when the page is looked at again.
      await page.evaluate("dispatchEvent(new Event('focus'))");
      expect(await page.getByText('Waits for a worker.', { exact: true }).count()).toBe(1);
    });
  });

  test('a webhook that failed is sent again', async () => {
    const receiver = await startReceiver(status(410), status(204));
    await longhaul.graphql(`mutation ($url: String) { createJob(input: { type: "demo", tags: ["again"], webhookUrl: $url }) { __typename } }`, { url: receiver.url });
    await longhaul.graphql(`mutation { startBulkAction(input: { kind: CANCEL, filter: { tags: ["again"] } }) { __typename } }`);
    const { page } = await visit(longhaul.url, { key: longhaul.adminKey, address: '#/webhooks?status=FAILED' });
    const redeliver = page.getByRole('button', { name: `Redeliver to ${receiver.url}` });
    await eventually(async () => {
      await page.getByRole('button', { name: 'Refresh' }).click();
      expect(await redeliver.count()).toBe(1);
    });
    // Others may have failed, too; and this one leaves the list once it is delivered.
    const row = page.getByRole('row').filter({ has: redeliver });
    expect(await row.getByRole('link', { name: 'demo' }).getAttribute('href')).toMatch(/^#\/jobs\/job_/);
    await redeliver.click();
    await eventually(() => expect(receiver.received).toHaveLength(2));
    await page.getByLabel('Which deliveries').selectOption('Delivered');
    await eventually(async () => {
      await page.getByRole('button', { name: 'Refresh' }).click();
      expect(await redeliver.count()).toBe(1);
    });
  });

  test('what a key may not do is not offered', async () => {
    const workspace = await longhaul.workspace();
    const visitor = await visit(longhaul.url, { key: await workspace.key({ scopes: ['READ'] }), address: '#/schedules' });
    const { page } = visitor;
    await page.getByText('A key with WRITE makes one').waitFor();
    for (const name of ['Workspaces', 'Keys', 'Audit']) expect(await page.getByRole('link', { name, exact: true }).count()).toBe(0);
    expect(await page.getByRole('button', { name: 'New schedule' }).count()).toBe(0);
    await visitor.open('#/types');
    await page.getByRole('link', { name: 'demo', exact: true }).waitFor();
    expect(await page.getByRole('columnheader', { name: 'Actions' }).count()).toBe(0);
    await visitor.open('#/credits');
    await page.getByText('1,000,000').first().waitFor();
    expect(await page.getByRole('button', { name: 'Add credits' }).count()).toBe(0);
  });
});
