import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { hasChromium } from '../support/browser.ts';
import { signIn, visit } from '../support/dashboard.ts';
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

  test('whose key is revoked is told at the door that the session has ended, once', async () => {
    const input = { workspaceId: `ws_${(await longhaul.workspace()).id}`, name: 'for a while', scopes: ['READ'] };
    const made = await longhaul.graphql('mutation ($input: CreateApiKeyInput!) { createApiKey(input: $input) { ... on CreateApiKeyPayload { secret apiKey { id } } } }', { input }, longhaul.adminKey);
    const { secret: key, apiKey: { id } } = Object(made.data?.['createApiKey']);
    const visitor = await visit(longhaul.url, { key });
    const { page } = visitor;
    visitor.allow(/401/);
    await longhaul.graphql('mutation ($id: ID!) { revokeApiKey(input: { id: $id }) { __typename } }', { id }, longhaul.adminKey);
    await page.getByRole('status').filter({ hasText: 'Your session has ended' }).waitFor();
    await visitor.isAccessible();
    await page.reload();
    await page.getByLabel('API key').waitFor();
    expect(await page.getByText('Your session has ended').count()).toBe(0);
  });

  test('who signs out in one tab, and in again as another, does so in all of them', async () => {
    const { page } = await visit(longhaul.url, { key: longhaul.adminKey });
    const other = await page.context().newPage();
    await other.goto(`${longhaul.url}/#/credits`);
    await other.getByRole('link', { name: 'Audit' }).waitFor();
    await page.getByText('default', { exact: true }).click();
    await page.getByRole('button', { name: 'Sign out' }).click();
    await other.getByLabel('API key').waitFor();

    await signIn(page, await (await longhaul.workspace()).key());
    await other.getByRole('heading', { name: 'Credits' }).waitFor();
    expect(await other.getByRole('link', { name: 'Audit' }).count()).toBe(0);
  });

  test('who cannot be signed in is told why, and what to do', async () => {
    const visitor = await visit(longhaul.url, { key: null });
    const { page } = visitor;
    visitor.allow(/401/);
    await page.route('**/session', (route) => route.fulfill({ status: 204 }));
    await page.getByLabel('API key').fill(longhaul.adminKey);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByRole('alert').filter({ hasText: 'Allow cookies for this address' }).waitFor();
    await page.unroute('**/session');

    const broken = { errors: [{ message: 'Something broke. Tell the operator: error 7.', extensions: { code: 'INTERNAL' } }] };
    await page.route('**/graphql', (route) => route.fulfill({ json: broken }));
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByRole('alert').filter({ hasText: 'error 7' }).waitFor();
    await page.unroute('**/graphql');
    await page.getByRole('button', { name: 'Try again' }).click();
    await page.getByRole('heading', { name: 'Jobs' }).waitFor();
  });
});
