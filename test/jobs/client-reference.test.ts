import { afterAll, beforeAll, expect, test } from 'vitest';
import { ValidationError } from '../../src/errors.ts';
import type { JobFilter } from '../../src/jobs/read/filter.ts';
import { IdempotencyConflictError } from '../../src/jobs/model/job-errors.ts';
import { refusal, Tenant, usualRequest } from '../support/domain.ts';
import { type Longhaul, sharedLonghaul } from '../support/longhaul.ts';

let longhaul: Longhaul;
beforeAll(async () => {
  longhaul = await sharedLonghaul();
});
afterAll(() => longhaul.stop());

async function idsWith(tenant: Tenant, filter: JobFilter): Promise<string[]> {
  const jobs = await longhaul.services.jobs.list(tenant.id, filter, { above: null, below: null, direction: 'ASC', limit: 100 });
  return jobs.map(({ id }) => id);
}

test('a reference finds the jobs that bear it, exactly and in its own workspace', async () => {
  const [tenant, other] = [await Tenant.in(longhaul), await Tenant.in(longhaul)];
  const longest = 'ö'.repeat(255);
  const [first, , second, long] = await tenant.createAll(
    ['order 7', 'Order 7', 'order 7', longest, null].map((clientReference) => ({ clientReference })),
  );
  await other.create({ clientReference: 'order 7' });
  expect(first).toMatchObject({ clientReference: 'order 7' });
  expect(await idsWith(tenant, { clientReference: 'order 7' })).toEqual([first?.id, second?.id]);
  expect(await idsWith(tenant, { clientReference: longest })).toEqual([long?.id]);
  for (const none of ['order', 'order 7 ', '', longest.slice(1), `${longest}ö`]) expect(await idsWith(tenant, { clientReference: none })).toEqual([]);
});

test("RevidAPI's references are longer, and are found to their last character", async () => {
  const tenant = await Tenant.in(longhaul);
  const { jobs } = longhaul.services;
  const begin = 'の'.repeat(999);
  const [a, b] = [`${begin}a`, `${begin}b`];
  const { id } = await jobs.create(tenant.id, usualRequest, { dialect: 'REVID', clientReference: a });
  await jobs.create(tenant.id, usualRequest, { dialect: 'REVID', clientReference: b });
  expect(await idsWith(tenant, { clientReference: a })).toEqual([id]);
});

test('a retry keeps it', async () => {
  const tenant = await Tenant.in(longhaul);
  const { id } = await tenant.create({ clientReference: 'order 8' });
  await tenant.cancel(id);
  const retry = await longhaul.services.jobs.retry(tenant.id, id, null);
  expect(retry).toMatchObject({ retryOfId: id, clientReference: 'order 8' });
  expect(await idsWith(tenant, { clientReference: 'order 8' })).toEqual([id, retry.id]);
});

test('it is part of the request that an idempotency key stands for', async () => {
  const tenant = await Tenant.in(longhaul);
  const request = { idempotencyKey: 'key', clientReference: 'order 9' };
  const { id } = await tenant.create(request);
  expect((await tenant.create(request)).id).toBe(id);
  await refusal(IdempotencyConflictError, tenant.create({ ...request, clientReference: 'order 10' }));
});

test.each([
  ['more than 255 characters', 'x'.repeat(256)],
  ['NUL', 'a\0b'],
  ['half a surrogate pair', 'a\ud800b'],
])('one with %s is refused with its path, and nothing is created', async (_what, clientReference) => {
  const workspace = await longhaul.workspace();
  const key = await workspace.key();
  const tenant = Tenant.of(longhaul, workspace.id);
  const { issues } = await refusal(ValidationError, tenant.createAll([{}, { clientReference }]));
  expect(issues.map(({ path }) => path)).toEqual([['jobs', '1', 'clientReference']]);
  const { data } = await longhaul.graphql(
    'mutation ($input: CreateJobInput!) { createJob(input: $input) { ... on ValidationError { issues { path } } } }',
    { input: { type: 'comments', input: { sourceUrl: 'https://example.com/a' }, clientReference } },
    key,
  );
  expect(data).toEqual({ createJob: { issues: [{ path: ['clientReference'] }] } });
  expect(await idsWith(tenant, {})).toEqual([]);
});

test.each(['a\0b', 'a\ud800b', 'x'.repeat(1_001)])('a filter of one that no job can bear is refused (%#)', async (clientReference) => {
  const key = await (await longhaul.workspace()).key();
  const query = 'query ($filter: JobFilter) { jobs(filter: $filter) { edges { node { clientReference } } } }';
  const { errors } = await longhaul.graphql(query, { filter: { clientReference } }, key);
  expect(errors.map(({ extensions }) => extensions['code'])).toEqual(['BAD_USER_INPUT']);
});
