import { readFile } from 'node:fs/promises';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { revokeApiKey } from '../../src/workspaces/revoke-api-key.ts';
import { hasChromium, openInChromium } from '../support/browser.ts';
import { Tenant } from '../support/domain.ts';
import { type Longhaul, startLonghaul } from '../support/longhaul.ts';

const html = await readFile(new URL('../support/fixtures/creating-page.html', import.meta.url), 'utf8');

let longhaul: Longhaul;
beforeAll(async () => {
  longhaul = await startLonghaul();
});
afterAll(() => longhaul.stop());

/** A page whose token creates comments for customer 7. */
async function open(): Promise<{ page: Page; tenant: Tenant; key: string }> {
  const workspace = await longhaul.workspace();
  const key = await workspace.key();
  const { data } = await longhaul.graphql(
    'mutation { createAccessToken(input: { tag: "customer-7", scopes: [READ, WRITE], types: ["comments"] }) { ... on CreateAccessTokenPayload { token } } }',
    {},
    key,
  );
  const token = /"token":"([^"]+)"/.exec(JSON.stringify(data))?.[1] ?? '';
  const page = await openInChromium(html, new URLSearchParams({ url: longhaul.url, token }).toString());
  await says(page, 'watching');
  return { page, tenant: Tenant.of(longhaul, workspace.id), key };
}

async function says(page: Page, text: string): Promise<void> {
  await page.locator('output').filter({ hasText: text }).waitFor();
}

/** Waits until the page shows so many jobs, the last of them like this. */
async function shows(page: Page, count: number, last: RegExp): Promise<void> {
  await page.locator(`li:nth-child(${count}):last-child`).filter({ hasText: last }).waitFor();
}

function create(input: string): string {
  return `mutation { createJob(input: { ${input} }) { ... on UserError { code } } }`;
}

test.skipIf(!hasChromium())('a page without a backend creates, watches, cancels and retries within its tag, until its key is revoked', async () => {
  const { page, tenant, key } = await open();
  const others = await tenant.create({ type: 'comments', tags: ['customer-8'] });
  await page.click('#create');
  await shows(page, 1, /^PENDING/);
  const [held] = await tenant.claim({ types: ['comments'], limit: 2 }).then((leases) => leases.filter(({ job }) => job.id !== others.id));
  expect(held?.job.tags).toEqual(['customer-7']);
  await tenant.report(held?.token ?? '', { percentage: 40 });
  await shows(page, 1, /^RUNNING 40/);
  await page.click('li:last-child .cancel');
  await shows(page, 1, /^CANCELLED/);
  await page.click('li:last-child .cancel');
  await says(page, 'ALREADY_FINISHED');
  await page.click('li:last-child .retry');
  await shows(page, 2, /^PENDING\s+again/);
  const [again] = await tenant.claim({ types: ['comments'] });
  await tenant.complete(again?.token ?? '');
  await shows(page, 2, /^COMPLETED/);

  const { authenticator, database } = longhaul.services;
  await revokeApiKey(database, authenticator, (await authenticator.find(key))?.id ?? '');
  await says(page, 'over');
  await page.click('#create');
  await says(page, 'UNAUTHENTICATED');
}, 60_000);

test.skipIf(!hasChromium())('and is refused everything else', async () => {
  const { page, tenant } = await open();
  const { id } = await tenant.create({ type: 'comments', tags: ['customer-8'] });
  const comments = 'type: "comments", input: { sourceUrl: "https://example.com/a" }';
  const table: [string, string[] | string | null][] = [
    [create('type: "fingerprint", input: { sourceUrl: "https://example.com/a" }'), 'VALIDATION_ERROR'],
    [create(`${comments}, webhookUrl: "https://example.com/"`), 'VALIDATION_ERROR'],
    [create(`${comments}, priority: 100`), 'VALIDATION_ERROR'],
    [create(`${comments}, concurrencyKey: "x"`), 'VALIDATION_ERROR'],
    [`{ job(id: "${id}") { uuid } }`, null],
    [`mutation { cancelJob(input: { id: "${id}" }) { ... on UserError { code } } }`, 'NOT_FOUND'],
    [`mutation { retryJob(input: { id: "${id}" }) { ... on UserError { code } } }`, 'NOT_FOUND'],
    ['{ workspace { jobCounts { pending } } }', ['FORBIDDEN']],
    ['{ workspaces { edges { node { id } } } }', ['FORBIDDEN']],
    ['mutation { startBulkAction(input: { kind: CANCEL, everything: true }) { __typename } }', ['FORBIDDEN']],
    ['mutation { createSchedule(input: { name: "n", cron: "* * * * *", type: "comments" }) { __typename } }', ['FORBIDDEN']],
    ['mutation { claimJobs(input: { types: ["comments"], workerId: "page" }) { __typename } }', ['FORBIDDEN']],
    ['mutation { createAccessToken(input: { tag: "customer-8" }) { __typename } }', ['FORBIDDEN']],
    ['mutation { rotateWebhookSecret { secret } }', ['FORBIDDEN']],
  ];
  for (const [query, outcome] of table) {
    const answer: unknown = await page.evaluate(`ask(${JSON.stringify(query)})`);
    const [, name = ''] = /(\w+)[({]/.exec(query.replace(/^mutation|^\{/, '')) ?? [];
    if (Array.isArray(outcome)) expect([query, answer]).toMatchObject([query, { codes: outcome }]);
    else expect([query, answer]).toEqual([query, { data: { [name]: outcome === null ? null : { code: outcome } }, codes: [] }]);
  }
  expect(await tenant.count('FROM job WHERE workspace_id = $1')).toBe(1);
}, 60_000);
