import { v7 as uuidv7 } from 'uuid';
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from 'vitest';
import type { Job } from '../../src/jobs/model/job.ts';
import { toGlobalId } from '../../src/graphql/global-id.ts';
import {
  ApiKeysDocument,
  CountedJobsDocument,
  JobsDocument,
  type JobsQuery,
  type JobsQueryVariables,
  NodeDocument,
  NodesDocument,
  RetryJobDocument,
  WorkspaceDocument,
  WorkspacesDocument,
  type WorkspacesQuery,
} from './generated/graphql.ts';
import { ask, request } from '../support/client.ts';
import { type Longhaul, sharedLonghaul, type TestWorkspace } from '../support/longhaul.ts';
import { claim, globalId, submit } from '../support/steps.ts';

let longhaul: Longhaul;
let workspace: TestWorkspace;
let key: string;
/** Five jobs, the oldest first. */
let five: string[];
beforeAll(async () => {
  longhaul = await sharedLonghaul();
  workspace = await longhaul.workspace();
  key = await workspace.key();
  five = (await submitMany(workspace, 5)).map(globalId);
});
afterAll(() => longhaul.stop());

type Connection = JobsQuery['jobs'];

test.each<{ what: string; variables: JobsQueryVariables; jobs: number[]; pageInfo: Partial<Connection['pageInfo']> }>([
  { what: 'without arguments is the newest first', variables: {}, jobs: [4, 3, 2, 1, 0], pageInfo: only() },
  { what: 'of the oldest first', variables: { order: 'OLDEST_FIRST' }, jobs: [0, 1, 2, 3, 4], pageInfo: only() },
  { what: 'of the first two', variables: { first: 2 }, jobs: [4, 3], pageInfo: { hasNextPage: true, hasPreviousPage: false } },
  { what: 'of the last two', variables: { last: 2 }, jobs: [1, 0], pageInfo: { hasNextPage: false, hasPreviousPage: true } },
  {
    what: 'of the last two of the oldest first',
    variables: { last: 2, order: 'OLDEST_FIRST' },
    jobs: [3, 4],
    pageInfo: { hasNextPage: false, hasPreviousPage: true },
  },
  { what: 'of exactly all', variables: { first: 5 }, jobs: [4, 3, 2, 1, 0], pageInfo: only() },
  { what: 'of exactly all from the end', variables: { last: 5 }, jobs: [4, 3, 2, 1, 0], pageInfo: only() },
])('a page $what', async ({ variables, jobs, pageInfo }) => {
  const page = await read(variables);
  expect(idsOf(page)).toEqual(jobs.map((index) => five[index]));
  expect(page.pageInfo).toEqual({
    ...pageInfo,
    startCursor: page.edges[0]?.cursor,
    endCursor: page.edges.at(-1)?.cursor,
  });
});

test('an empty page has no cursors', async () => {
  const page = await read({ filter: { types: ['download'] } });
  expect(page).toEqual({
    edges: [],
    pageInfo: { hasNextPage: false, hasPreviousPage: false, startCursor: null, endCursor: null },
  });
});

test.each(['NEWEST_FIRST', 'OLDEST_FIRST'] as const)('pages of two forward, and the same backward, %s', async (order) => {
  const forward: string[][] = [];
  for (let after: string | null = null; ; ) {
    const page: Connection = await read({ first: 2, after, order });
    forward.push(idsOf(page));
    expect(page.pageInfo.hasPreviousPage).toBe(after !== null);
    if (!page.pageInfo.hasNextPage) break;
    after = page.pageInfo.endCursor;
  }
  const expected = order === 'OLDEST_FIRST' ? five : five.toReversed();
  expect(forward).toEqual([expected.slice(0, 2), expected.slice(2, 4), expected.slice(4)]);

  const backward: string[][] = [];
  for (let before: string | null = null; ; ) {
    const page: Connection = await read({ last: 2, before, order });
    backward.unshift(idsOf(page));
    expect(page.pageInfo.hasNextPage).toBe(before !== null);
    if (!page.pageInfo.hasPreviousPage) break;
    before = page.pageInfo.startCursor;
  }
  expect(backward).toEqual([expected.slice(0, 1), expected.slice(1, 3), expected.slice(3)]);
});

test('a page between two cursors has neither of them', async () => {
  const { edges } = await read({});
  const page = await read({ after: edges[0]?.cursor ?? null, before: edges[4]?.cursor ?? null });
  expect(idsOf(page)).toEqual([3, 2, 1].map((index) => five[index]));
});

test('a walk sees each job that was there at its start once, however many are being created', async () => {
  const busy = await longhaul.workspace();
  const busyKey = await busy.key();
  for (const order of ['NEWEST_FIRST', 'OLDEST_FIRST'] as const) {
    const { jobs: all } = await ask(longhaul.url, busyKey, CountedJobsDocument, { first: 100 });
    const before = (await submitMany(busy, 7)).map(globalId);
    const seen: string[] = [];
    for (let after: string | null = null, pages = 0; pages <= all.totalCount + 10; pages += 1) {
      const { jobs: page }: JobsQuery = await ask(longhaul.url, busyKey, JobsDocument, { first: 2, after, order });
      seen.push(...idsOf(page));
      if (!page.pageInfo.hasNextPage) break;
      // Fewer than are read, so that a walk with the stream comes to its end.
      await submit(longhaul, busy.id);
      after = page.pageInfo.endCursor;
    }
    expect(new Set(seen).size).toBe(seen.length);
    expect(before.filter((id) => !seen.includes(id))).toEqual([]);
  }
});

test('a list is counted where that is asked for, and only there', async () => {
  const counted = await statementsOf([workspace.id], () => ask(longhaul.url, key, CountedJobsDocument, { first: 2 }));
  expect(counted.result.jobs.totalCount).toBe(5);
  expect(counted.statements.filter(isCount)).toHaveLength(1);
  const uncounted = await statementsOf([workspace.id], () => read({ first: 2 }));
  expect(uncounted.statements.filter(isCount)).toEqual([]);
});

test('a filter is counted as it filters', async () => {
  const mixed = await longhaul.workspace();
  const mixedKey = await mixed.key();
  await submit(longhaul, mixed.id, { tags: ['a', 'b'] });
  await submit(longhaul, mixed.id, { tags: ['a'] });
  await submit(longhaul, mixed.id, { type: 'preview', tags: ['b'] });
  const count = async (filter: NonNullable<JobsQueryVariables['filter']>) => {
    const { jobs } = await ask(longhaul.url, mixedKey, CountedJobsDocument, { filter });
    expect(jobs.edges).toHaveLength(jobs.totalCount);
    return jobs.totalCount;
  };
  expect(await count({ tags: ['a'] })).toBe(2);
  expect(await count({ tags: ['a', 'b'] })).toBe(1);
  expect(await count({ types: ['comments'], tags: ['b'] })).toBe(1);
  expect(await count({ statuses: ['PENDING'] })).toBe(3);
  expect(await count({ statuses: ['FAILED', 'COMPLETED'] })).toBe(0);
  expect(await count({ types: [] })).toBe(0);
  expect(await count({ createdBefore: '2020-01-01T00:00:00Z' })).toBe(0);
  expect(await count({ createdAfter: '2020-01-01T00:00:00Z' })).toBe(3);
});

test('whatever has an id is read again by it, alone and among others', async () => {
  const { url, adminKey } = longhaul;
  const administrator = await ask(url, adminKey, ApiKeysDocument, {});
  const apiKey = administrator.workspace.apiKeys.edges[0]?.node.id;
  const { workspace: tenant } = await ask(url, key, WorkspaceDocument, {});
  const transaction = tenant.creditTransactions.edges[0]?.node.id;
  const delivery = toGlobalId('WebhookDelivery', await delivered(five[0] ?? ''));
  const nodes = [
    { asker: key, __typename: 'Job', id: five[0] },
    { asker: key, __typename: 'Workspace', id: tenant.id },
    { asker: key, __typename: 'CreditTransaction', id: transaction },
    { asker: key, __typename: 'WebhookDelivery', id: delivery },
    { asker: adminKey, __typename: 'ApiKey', id: apiKey },
    { asker: adminKey, __typename: 'Workspace', id: tenant.id },
  ];
  for (const { asker, __typename, id = 'none' } of nodes) {
    expect(await ask(url, asker, NodeDocument, { id })).toEqual({ node: { __typename, id } });
  }
  const own = nodes.slice(0, 4).map(({ __typename, id = 'none' }) => ({ __typename, id }));
  const asked = [own[3]?.id ?? '', 'no id', ...own.map(({ id }) => id)];
  expect(await ask(url, key, NodesDocument, { ids: asked })).toEqual({ nodes: [own[3], null, ...own] });
});

test("nothing of another workspace is read by its id, nor a key's entry by who may not administer", async () => {
  const { url, adminKey } = longhaul;
  const stranger = await (await longhaul.workspace()).key();
  const { workspace: tenant } = await ask(url, key, WorkspaceDocument, {});
  const administrator = await ask(url, adminKey, ApiKeysDocument, {});
  const ids = [
    five[0] ?? '',
    tenant.id,
    tenant.creditTransactions.edges[0]?.node.id ?? '',
    toGlobalId('WebhookDelivery', await delivered(five[0] ?? '')),
    administrator.workspace.apiKeys.edges[0]?.node.id ?? '',
  ];
  const { data, errors } = await request(url, stranger, NodesDocument, { ids });
  expect(errors).toEqual([]);
  expect(data).toEqual({ nodes: ids.map(() => null) });
});

test('the workspaces are walked by administrators', async () => {
  const made = toGlobalId('Workspace', (await longhaul.workspace()).id);
  const seen: string[] = [];
  for (let after: string | null = null; ; ) {
    const { workspaces }: WorkspacesQuery = await ask(longhaul.url, longhaul.adminKey, WorkspacesDocument, { first: 20, after });
    seen.push(...workspaces.edges.map(({ node }) => node.id));
    after = workspaces.pageInfo.endCursor;
    if (!workspaces.pageInfo.hasNextPage) break;
  }
  expect(seen).toContain(made);
  expect(new Set(seen).size).toBe(seen.length);
});

test('a page of a hundred jobs with all that hangs on them takes a handful of statements', async () => {
  const large = await longhaul.workspace();
  const largeKey = await large.key();
  const failed = await submit(longhaul, large.id, { maxAttempts: 1 });
  const token = await claim(longhaul, failed);
  await longhaul.services.jobs.fail(large.id, { token, code: 'BAD', message: 'Bad.' });
  for (let time = 0; time < 3; time += 1) {
    await ask(longhaul.url, largeKey, RetryJobDocument, { input: { id: globalId(failed) } });
  }
  const jobs = await submitMany(large, 96);
  for (const job of jobs.slice(0, 3)) {
    await delivered(globalId(job));
    await filed(globalId(job));
  }

  const { result, statements } = await statementsOf([large.id, ...[failed, ...jobs].map(({ id }) => id)], () =>
    longhaul.graphql(
      `{ jobs(first: 100) { edges { node {
           id attempts { number error { code } } retryOf { id } webhookDeliveries(first: 1) { edges { node { id event } } } artifacts { name }
         } } } }`,
      {},
      largeKey,
    ),
  );
  expect(result.errors).toEqual([]);
  expect(JSON.stringify(result.data).match(/"attempts"/g)).toHaveLength(100);
  expect(JSON.stringify(result.data).match(/"retryOf":\{/g)).toHaveLength(3);
  expect(JSON.stringify(result.data).match(/"event":"JOB_COMPLETED"/g)).toHaveLength(3);
  expect(JSON.stringify(result.data).match(/"artifacts":\[\{"name":"file"\},\{"name":"two"\}\]/g)).toHaveLength(3);
  // The page, its attempts with their leases, the jobs retried, the deliveries, the files.
  expect(statements.length).toBeLessThanOrEqual(6);
});

function only(): Partial<Connection['pageInfo']> {
  return { hasNextPage: false, hasPreviousPage: false };
}

async function read(variables: JobsQueryVariables): Promise<Connection> {
  return (await ask(longhaul.url, key, JobsDocument, variables)).jobs;
}

function idsOf({ edges }: Connection): string[] {
  return edges.map(({ node }) => node.id);
}

async function submitMany(tenant: TestWorkspace, count: number): Promise<Job[]> {
  const jobs: Job[] = [];
  // One after the other, so that their order is known.
  for (let made = 0; made < count; made += 1) jobs.push(await submit(longhaul, tenant.id));
  return jobs;
}

/** A delivery of a job's webhook, as a row: nothing is sent here. */
async function delivered(jobId: string): Promise<string> {
  const id = uuidv7();
  await longhaul.services.database.hot.query(
    `INSERT INTO webhook_delivery (id, endpoint, workspace_id, job_id, url, event, status)
     SELECT $1, $1, workspace_id, id, 'https://example.com/hook', 'JOB_COMPLETED', 'DELIVERED' FROM job WHERE id = $2`,
    [id, jobId.replace('job_', '')],
  );
  return id;
}

/** Two files of a job, as rows: nothing is stored here. */
async function filed(jobId: string): Promise<void> {
  const { hot } = longhaul.services.database;
  const job = jobId.replace('job_', '');
  await hot.query(`UPDATE job SET artifact_id = id, artifact_expires_at = now() + interval '1 h' WHERE id = $1`, [job]);
  await hot.query(
    `INSERT INTO artifact (id, workspace_id, job_id, name, position, filename, media_type, bytes, sha256, expires_at)
     SELECT file.id, workspace_id, job.id, file.name, file.position, 'a', 'text/plain', 1, '', artifact_expires_at
     FROM job CROSS JOIN (VALUES ($1::uuid, 'two', 1), ($2::uuid, 'file', 0)) AS file(id, name, position) WHERE job.id = $3`,
    [uuidv7(), uuidv7(), job],
  );
}

function isCount(sql: string): boolean {
  return sql.includes('count(*)');
}

/**
 * The reads among the statements that run meanwhile, written by hand or by MikroORM, that name a workspace or its jobs. Those
 * of the API do, and the loops of the shared process, which read for themselves, do not.
 */
async function statementsOf<Result>(names: string[], run: () => Promise<Result>): Promise<{ result: Result; statements: string[] }> {
  const { hot, reads, orm } = longhaul.services.database;
  // Embedded, hot and reads are one.
  const byHand = [...new Set([hot, reads])].map((queryable) => vi.spyOn(queryable, 'query'));
  const byOrm = vi.spyOn(orm.em.getConnection(), 'execute');
  const restore = () => {
    for (const spy of [...byHand, byOrm]) spy.mockRestore();
  };
  onTestFinished(restore);
  const result = await run();
  const calls = [...byHand.flatMap((spy) => spy.mock.calls), ...byOrm.mock.calls];
  const statements = calls
    .filter(([, parameters = []]) => names.some((name) => JSON.stringify(parameters).includes(name)))
    .map(([sql]) => String(sql))
    .filter((sql) => /^\s*SELECT/i.test(sql));
  restore();
  return { result, statements };
}
