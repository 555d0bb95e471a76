import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Workforce } from '../../src/jobs/workers/workforce.ts';
import { silentLog } from '../../src/log.ts';
import { settleWorkers, Tenant } from '../support/domain.ts';
import { type Longhaul, startLonghaul } from '../support/longhaul.ts';

let longhaul: Longhaul;
beforeAll(async () => {
  longhaul = await startLonghaul();
});
afterAll(() => longhaul.stop());

const claim = `mutation ($types: [String!]!, $name: String!, $jobs: [ID!], $limit: Int) {
  claimJobs(input: { types: $types, workerId: $name, jobIds: $jobs, limit: $limit }) { ... on ClaimJobsPayload { leases { token } } } }`;
const create = `mutation ($type: String!) { createJob(input: { type: $type, input: { sourceUrl: "https://example.com/a.mp4" } }) {
  ... on CreateJobPayload { job { id } warnings { code message } } ... on UserError { code message } } }`;
const listed = `query ($alive: Boolean, $first: Int, $after: String) { workspace { workers(alive: $alive, first: $first, after: $after) {
  edges { cursor node { id name types running alive } } pageInfo { hasNextPage endCursor } } } }`;

/** A workspace with a key of its own. */
async function newTenant() {
  const workspace = await longhaul.workspace();
  const key = await workspace.key();
  const ask = async (query: string, variables: object = {}) => (await longhaul.graphql(query, variables, key)).data;
  return { tenant: Tenant.of(longhaul, workspace.id), id: workspace.id, ask };
}

/** What another process, which just started, knows of the workers. */
async function otherProcess(): Promise<Workforce> {
  await settleWorkers(longhaul);
  const other = new Workforce(longhaul.services.database, silentLog);
  await other.loop.settle();
  return other;
}

/** As if this worker had been silent for so long. */
async function silence(name: string, seconds: number): Promise<void> {
  await longhaul.services.database.hot.query(
    `UPDATE worker SET last_seen_at = last_seen_at - make_interval(secs => $2) WHERE name = $1`, [name, seconds]);
}

describe('a process that claims', () => {
  test('is a worker of its key\'s workspace, with its types and the jobs that it holds, on every process', async () => {
    const { tenant, id, ask } = await newTenant();
    await tenant.createAll([{}, {}]);
    await ask(claim, { types: ['fingerprint', 'comments'], name: 'one', limit: 2 });
    await ask(claim, { types: ['transcribe'], name: 'one' });
    const other = await otherProcess();
    const [node] = await longhaul.services.jobs.workers.list(id, null, { above: null, below: null, direction: 'DESC', limit: 10 });
    expect(node).toMatchObject({ name: 'one', alive: true });
    expect(node?.lastSeenAt.getTime()).toBeGreaterThan(Date.now() - 60_000);
    expect(await ask(listed)).toMatchObject({
      workspace: { workers: { edges: [{ node: { name: 'one', types: ['comments', 'fingerprint', 'transcribe'], running: 2, alive: true } }] } },
    });
    expect(other.takes(id, 'transcribe')).toBe(true);
    expect(other.takes(id, 'export')).toBe(false);
    expect(other.count(id, 'comments')).toBe(1);
    expect(other.takes((await longhaul.workspace()).id, 'comments')).toBe(false);
    expect(await ask('query ($id: ID!) { node(id: $id) { ... on Worker { name } } }', { id: `worker_${node?.id}` })).toEqual({ node: { name: 'one' } });
    expect(await (await newTenant()).ask('query ($id: ID!) { node(id: $id) { id } }', { id: `worker_${node?.id}` })).toEqual({ node: null });
  });

  test('with WORK_ALL is a worker of `default` and takes jobs of every workspace, as the built-in worker does', async () => {
    const { id } = await newTenant();
    const name = `all ${randomUUID()}`;
    expect((await otherProcess()).takes(id, 'media/transcribe')).toBe(false);
    await longhaul.graphql(claim, { types: ['media/transcribe'], name });
    const other = await otherProcess();
    expect(other.takes(id, 'media/transcribe')).toBe(true);
    const types = await longhaul.graphql('{ jobTypes { name builtIn liveWorkers } workspace { workers(alive: true) { edges { node { name } } } } }');
    expect(types.data?.['jobTypes']).toContainEqual({ name: 'media/transcribe', builtIn: false, liveWorkers: 1 });
    expect(types.data?.['jobTypes']).toContainEqual({ name: 'download', builtIn: true, liveWorkers: 0 });
    expect(types.data?.['workspace']).toEqual({ workers: { edges: [{ node: { name } }] } });
    await silence(name, 61);
    expect((await otherProcess()).takes(id, 'media/transcribe')).toBe(false);
  });

  test('is alive while it reports, and no longer than a minute after', async () => {
    const { tenant, id, ask } = await newTenant();
    await tenant.create();
    const [lease] = await tenant.claim({ workerId: 'busy' });
    await otherProcess();
    await silence('busy', 70);
    expect((await otherProcess()).takes(id, 'fingerprint')).toBe(false);
    expect(await ask(listed, { alive: false })).toMatchObject({ workspace: { workers: { edges: [{ node: { name: 'busy', alive: false } }] } } });
    await tenant.report(lease?.token ?? '');
    expect((await otherProcess()).takes(id, 'fingerprint')).toBe(true);
    expect(await ask(listed, { alive: false })).toMatchObject({ workspace: { workers: { edges: [] } } });
    expect(await ask(listed, { alive: true })).toMatchObject({ workspace: { workers: { edges: [{ node: { name: 'busy', types: ['fingerprint'] } }] } } });
  });

  test('that names the jobs it wants takes no others of their types', async () => {
    const { tenant, id, ask } = await newTenant();
    const { id: job } = await tenant.create();
    await ask(claim, { types: ['fingerprint'], name: 'by hand', jobs: [job] });
    expect((await otherProcess()).takes(id, 'fingerprint')).toBe(false);
    expect(await ask(listed)).toMatchObject({ workspace: { workers: { edges: [{ node: { types: [], running: 1 } }] } } });
  });

  test('is not written more than once in four seconds, and not by its claims', async () => {
    const { tenant, id } = await newTenant();
    await tenant.claim();
    await otherProcess();
    const seen = (when: string) => longhaul.services.database.hot.query(`UPDATE worker SET last_seen_at = ${when} WHERE workspace_id = $1`, [id]);
    // However long the claims take.
    await seen(`now() + interval '1 minute'`);
    /** Another version of the row is another transaction. */
    const version = () => longhaul.services.database.hot.query('SELECT xmin::text FROM worker WHERE workspace_id = $1', [id]);
    const before = await version();
    for (let round = 0; round < 20; round += 1) await tenant.claim();
    await otherProcess();
    expect(await version()).toEqual(before);
    await seen(`now() - interval '5 seconds'`);
    const silent = await version();
    await tenant.claim();
    await otherProcess();
    expect(await version()).not.toEqual(silent);
  });

  test('is forgotten when it has been silent for a week', async () => {
    const { tenant } = await newTenant();
    await tenant.claim({ workerId: 'old' });
    await tenant.claim({ workerId: 'young' });
    await otherProcess();
    await silence('old', 7 * 86_400);
    await longhaul.sweeper.keepHouse();
    expect(await tenant.count(`FROM worker WHERE workspace_id = $1`)).toBe(1);
  });
});

test('the list of workers is paged, seen last first', async () => {
  const { tenant, ask } = await newTenant();
  for (const workerId of ['c', 'a', 'b']) await tenant.claim({ workerId });
  await otherProcess();
  await silence('a', 10);
  await silence('c', 20);
  const first = await ask(listed, { first: 2 });
  expect(first).toMatchObject({ workspace: { workers: { edges: [{ node: { name: 'b' } }, { node: { name: 'a' } }], pageInfo: { hasNextPage: true } } } });
  const after = JSON.parse(JSON.stringify(first)).workspace.workers.pageInfo.endCursor;
  expect(await ask(listed, { first: 2, after })).toMatchObject({ workspace: { workers: { edges: [{ node: { name: 'c' } }], pageInfo: { hasNextPage: false } } } });
});

describe('a job of a type that no worker takes', () => {
  test('is created, and its submitter is warned until one claims the type', async () => {
    const { tenant, ask } = await newTenant();
    const message = 'No worker that is alive takes jobs of type "tool". They wait until one claims this type.';
    expect(await ask(create, { type: 'tool' })).toMatchObject({ createJob: { job: {}, warnings: [{ code: 'NO_WORKER', message }] } });
    await tenant.claim({ types: ['tool'], workerId: 'late' });
    expect(await ask(create, { type: 'tool' })).toMatchObject({ createJob: { warnings: [] } });
    await otherProcess();
    await silence('late', 61);
    await otherProcess();
    expect(await ask(create, { type: 'tool' })).toMatchObject({ createJob: { warnings: [{ code: 'NO_WORKER' }] } });
  });

  test('brings one warning for each type, however many are created, and none where it has ended', async () => {
    const { ask } = await newTenant();
    const jobs = ['tool', 'comments', 'tool'].map((type) => ({ type, input: { sourceUrl: 'https://example.com/a.mp4' }, idempotencyKey: randomUUID() }));
    const createJobs = `mutation ($jobs: [CreateJobInput!]!) { createJobs(input: { jobs: $jobs }) { ... on CreateJobsPayload { jobs { id } warnings { code message } } } }`;
    const answer = await ask(createJobs, { jobs });
    expect(answer).toMatchObject({
      createJobs: { warnings: [{ code: 'NO_WORKER', message: expect.stringContaining('"tool"') }, { code: 'NO_WORKER', message: expect.stringContaining('"comments"') }] },
    });
    for (const { id } of JSON.parse(JSON.stringify(answer)).createJobs.jobs) {
      await ask('mutation ($id: ID!) { cancelJob(input: { id: $id }) { __typename } }', { id });
    }
    expect(await ask(createJobs, { jobs })).toMatchObject({ createJobs: { warnings: [] } });
  });
});
