import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Longhaul, startLonghaul } from '../support/longhaul.ts';

let longhaul: Longhaul;
beforeAll(async () => {
  longhaul = await startLonghaul({ INTROSPECTION: 'false', GRAPHIQL: 'false' });
});
afterAll(() => longhaul.stop());

test('jobs created together cost what their answer would', async () => {
  const workspace = await longhaul.workspace();
  const fields = 'id attempts { number workerId startedAt endedAt error { code message } } webhookDeliveries { edges { node { id } } }';
  const { errors } = await longhaul.graphql(
    `mutation ($input: CreateJobsInput!) { createJobs(input: $input) { ... on CreateJobsPayload { jobs { ${fields} } } } }`,
    { input: { jobs: Array.from({ length: 1_000 }, () => ({ type: 'export' })) } },
    await workspace.key(),
  );
  expect(errors.map(({ extensions }) => extensions['code'])).toEqual(['LIMIT_EXCEEDED']);
  const jobs = await longhaul.services.database.hot.query('SELECT 1 FROM job WHERE workspace_id = $1', [workspace.id]);
  expect(jobs).toEqual([]);
});

test('a page of a hundred jobs with all there is to them is within the cost', async () => {
  const fields = `id uuid type status version input progress { step message percentage } output error { code message } tags
    priority maxAttempts creditsCharged creditsRefunded downloadUrl downloadUrlExpiresAt retryOf { id status } cancelReason
    runAt nextAttemptAt createdAt startedAt finishedAt updatedAt attempts { number workerId error { code message } }
    webhookDeliveries(first: 5) { edges { node { id url status } } }`;
  const { errors } = await longhaul.graphql(`{ jobs(first: 100) { totalCount edges { node { ${fields} } } } }`);
  expect(errors).toEqual([]);
});

test('an answer tells its cost to whoever asks', async () => {
  const response = await fetch(`${longhaul.url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-api-key': longhaul.adminKey },
    body: JSON.stringify({ query: '{ jobs(first: 50) { edges { node { id } } } }', extensions: { cost: true } }),
  });
  expect(await response.json()).toMatchObject({ extensions: { cost: { complexity: 151, limit: 50_000 } } });
});

test('the schema is not told, and no page is shown, where the operator wants it so', async () => {
  const { data, errors } = await longhaul.graphql('{ __schema { queryType { name } } }');
  expect(data).toBeNull();
  expect(new Set(errors.map(({ extensions }) => extensions['code']))).toEqual(new Set(['BAD_USER_INPUT']));
  const page = await fetch(`${longhaul.url}/graphql`, { headers: { accept: 'text/html' } });
  expect(page.ok).toBe(false);
});
