import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { Tenant } from '../support/domain.ts';
import { type Longhaul, startLonghaul } from '../support/longhaul.ts';

let longhaul: Longhaul;
beforeAll(async () => {
  longhaul = await startLonghaul({ RATE_LIMIT: '10' });
});
afterAll(() => longhaul.stop());

const who = '{ viewer { workspace { id name } scopes apiKey { name } expiresAt rateLimit { limit remaining resetsAt } } }';

async function tokenOf(key: string): Promise<string> {
  const { data } = await longhaul.graphql('mutation { createAccessToken(input: { tag: "mine" }) { ... on CreateAccessTokenPayload { token } } }', {}, key);
  return /"token":"([^"]+)"/.exec(JSON.stringify(data))?.[1] ?? '';
}

test('a key learns who it is and what is left of its minute, which asking alone takes from', async () => {
  const workspace = await longhaul.workspace();
  const key = await workspace.key({ scopes: ['WORK', 'READ'] });
  const left = async () => {
    const { data, errors } = await longhaul.graphql(who, {}, key);
    expect(errors).toEqual([]);
    expect(data).toMatchObject({
      viewer: {
        workspace: { id: `ws_${workspace.id}`, name: 'test' }, scopes: ['READ', 'WORK'], apiKey: { name: 'test' }, expiresAt: null,
        rateLimit: { limit: 10, resetsAt: expect.any(String) },
      },
    });
    return Number(/"remaining":(\d+)/.exec(JSON.stringify(data))?.[1]);
  };
  expect([await left(), await left()]).toEqual([9, 8]);
  // Its tokens have a budget of their own, of which those of one tag have half.
  const { data, errors } = await longhaul.graphql(who, {}, await tokenOf(key));
  expect(errors).toEqual([]);
  expect(data).toMatchObject({
    viewer: { workspace: { name: 'test' }, scopes: ['READ'], apiKey: null, expiresAt: expect.any(String), rateLimit: { limit: 5, remaining: 4 } },
  });
  expect(await left()).toBe(6);
});

test('where requests are not limited, nothing is left of them', async () => {
  const unlimited = await startLonghaul({ RATE_LIMIT: '0' });
  try {
    expect((await unlimited.graphql('{ viewer { rateLimit { limit } } }')).data).toEqual({ viewer: { rateLimit: null } });
  } finally {
    await unlimited.stop();
  }
});

test('of its workspace a token reads the id and name, and so does a key without READ', async () => {
  const workspace = await longhaul.workspace();
  const readers = { reader: await workspace.key({ scopes: ['READ'] }), writer: await workspace.key({ scopes: ['WRITE'] }) };
  const token = await tokenOf(readers.reader);
  const codes = async (field: string, key: string) =>
    (await longhaul.graphql(`{ viewer { workspace { ${field} } } }`, {}, key)).errors.map(({ extensions }) => extensions['code']);
  for (const field of ['credits', 'jobCounts { pending }', 'webhookDeliveries { edges { cursor } }']) {
    for (const key of [token, readers.writer]) expect({ field, codes: await codes(field, key) }).toEqual({ field, codes: ['FORBIDDEN'] });
  }
  expect(await codes('credits jobCounts { pending } webhookDeliveries { edges { cursor } }', readers.reader)).toEqual([]);
});

test('a key knows when it was last used, also by its tokens', async () => {
  const workspace = await longhaul.workspace();
  const [key, other] = [await workspace.key(), await workspace.key()];
  const { authenticator } = longhaul.services;
  const used = async () => {
    await authenticator.loop.settle();
    await authenticator.loop.settle();
    const { data } = await longhaul.graphql(
      'query ($id: ID!) { node(id: $id) { ... on Workspace { apiKeys { edges { node { lastUsedAt } } } } } }', { id: `ws_${workspace.id}` });
    return [...JSON.stringify(data).matchAll(/"lastUsedAt":(null|"[^"]+")/g)].map(([, at = '']) => at !== 'null');
  };
  expect(await used()).toEqual([false, false]);
  const token = await tokenOf(other);
  expect(await used()).toEqual([false, true]);
  await longhaul.services.database.hot.query('UPDATE api_key SET last_used_at = NULL WHERE workspace_id = $1', [workspace.id]);
  expect(await used()).toEqual([false, false]);
  await longhaul.graphql(who, {}, token);
  expect(await used()).toEqual([false, true]);
  await longhaul.graphql(who, {}, 'lh_nobody');
  await longhaul.graphql(who, {}, key);
  expect(await used()).toEqual([true, true]);
});

test('a workspace lists its deliveries, newest first, and by what became of them; another one has others', async () => {
  const workspace = await longhaul.workspace();
  const key = await workspace.key();
  const tenants = [Tenant.of(longhaul, workspace.id), await Tenant.in(longhaul)] as const;
  const ids: string[] = [];
  for (const tenant of tenants) {
    for (let n = 0; n < 3; n += 1) ids.push((await tenant.cancel((await tenant.create({ webhookUrl: `https://127.0.0.1/${n}` })).id)).id);
  }
  // Nobody may reach that address.
  await vi.waitFor(async () => {
    expect(await tenants[0].count(`FROM webhook_delivery WHERE workspace_id = $1 AND attempt_count > 0`)).toBe(3);
  }, { timeout: 20_000, interval: 50 });
  await longhaul.services.database.hot.query(`UPDATE webhook_delivery SET status = 'DELIVERED' WHERE job_id = $1`, [ids[1]]);
  await longhaul.services.database.hot.query(`UPDATE webhook_delivery SET status = 'FAILED' WHERE job_id = $1`, [ids[0]]);
  const list = async (asked: string) => {
    const { data, errors } = await longhaul.graphql(`{ workspace { webhookDeliveries(${asked}) { edges { node { url } } } } }`, {}, key);
    expect(errors).toEqual([]);
    return [...JSON.stringify(data).matchAll(/127.0.0.1\/(\d)/g)].map(([, n]) => n);
  };
  expect(await list('first: 10')).toEqual(['2', '1', '0']);
  expect(await list('last: 1')).toEqual(['0']);
  expect(await list('statuses: [FAILED, PENDING]')).toEqual(['2', '0']);
  expect(await list('statuses: [DELIVERED]')).toEqual(['1']);
  expect(await list('statuses: []')).toEqual([]);
  const foreign = await longhaul.graphql(
    'query ($id: ID!) { node(id: $id) { ... on Workspace { webhookDeliveries { edges { node { url } } } } } }', { id: `ws_${workspace.id}` });
  expect(foreign.errors).toMatchObject([{ extensions: { code: 'FORBIDDEN' } }]);
});

test('a job lists the jobs that retry it, oldest first, and counts them', async () => {
  const workspace = await longhaul.workspace();
  const key = await workspace.key();
  const tenant = Tenant.of(longhaul, workspace.id);
  const job = await tenant.create();
  await tenant.cancel(job.id);
  const retries = [];
  for (let n = 0; n < 3; n += 1) retries.push((await longhaul.services.jobs.retry(tenant.id, job.id, null)).id);
  const { data, errors } = await longhaul.graphql(
    `query ($id: ID!) { job(id: $id) { retries(first: 2) { totalCount count { value exact } edges { node { uuid retryOf { uuid } retries { totalCount } } } pageInfo { hasNextPage } } } }`,
    { id: job.id }, key);
  expect(errors).toEqual([]);
  expect(data).toEqual({
    job: {
      retries: {
        totalCount: 3, count: { value: 3, exact: true }, pageInfo: { hasNextPage: true },
        edges: retries.slice(0, 2).map((uuid) => ({ node: { uuid, retryOf: { uuid: job.id }, retries: { totalCount: 0 } } })),
      },
    },
  });
});
