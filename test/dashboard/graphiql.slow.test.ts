import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { hasChromium } from '../support/browser.ts';
import { visit } from '../support/dashboard.ts';
import { eventually } from '../support/eventually.ts';
import { type Longhaul, startLonghaul } from '../support/longhaul.ts';

let longhaul: Longhaul;
beforeAll(async () => {
  longhaul = await startLonghaul();
});
afterAll(() => longhaul.stop());

describe.skipIf(!hasChromium())('in Chromium', { timeout: 120_000 }, () => {
  test('who is signed in at the page creates and watches a job in GraphiQL without a key in its headers', async () => {
    const { page } = await visit(longhaul.url, { key: longhaul.adminKey });
    // Its editor is large.
    page.setDefaultTimeout(60_000);
    await page.goto(`${longhaul.url}/graphql`);
    const run = page.getByRole('button', { name: /execute query/i });
    const answer = page.locator('.graphiql-response');
    await run.click();
    await answer.getByText('CreateJobPayload').waitFor();
    const { data } = await longhaul.graphql('{ jobs(first: 1) { edges { node { id } } } }');
    const id = Object(data).jobs.edges[0].node.id;
    expect(await answer.innerText()).toContain(id);

    await page.locator('.graphiql-query-editor .view-lines').first().click();
    await page.keyboard.press('Control+A');
    await page.keyboard.insertText(`subscription { jobProgress(id: "${id}") { __typename status } }`);
    // GraphiQL takes over what was typed a moment later: until then its button runs what was there before.
    await eventually(async () => {
      await run.click({ timeout: 2_000 });
      await answer.getByText('jobProgress').waitFor({ timeout: 2_000 });
    });
    await longhaul.graphql('mutation ($id: ID!) { cancelJob(input: { id: $id }) { __typename } }', { id });
    await answer.getByText('"CANCELLED"').waitFor();
  });
});
