import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { JobReads } from '../../src/jobs/read/job-reads.ts';
import { Tenant } from '../support/domain.ts';
import { type Longhaul, startLonghaul, type TestWorkspace } from '../support/longhaul.ts';
import { observed, type Statement } from '../support/observed-database.ts';
import { rest } from '../support/rest.ts';

let longhaul: Longhaul;
let workspace: TestWorkspace;
let tenant: Tenant;
beforeAll(async () => {
  longhaul = await startLonghaul({ RATE_LIMIT: '50' });
  workspace = await longhaul.workspace();
  tenant = Tenant.of(longhaul, workspace.id);
});
afterAll(() => longhaul.stop());

const poll = (jobId: string, key: string, headers: Record<string, string> = {}) =>
  rest(`${longhaul.url}/vydra/api/v1/jobs/${jobId}`, { key, headers });

describe('an answer that is kept', () => {
  test('is given again as long as nothing has changed, and never after', async () => {
    const key = await workspace.key();
    const { job, token } = await tenant.running();
    const first = await poll(job.id, key);
    const again = await poll(job.id, key);
    expect([again.body, again.headers.get('etag')]).toEqual([first.body, first.headers.get('etag')]);
    await tenant.report(token, { percentage: 40 });
    expect((await poll(job.id, key)).body).toMatchObject({ status: 'running', progress: 40 });
    await tenant.complete(token, { url: 'https://media.example.com/1.mp4' });
    for (let time = 0; time < 2; time += 1) {
      expect((await poll(job.id, key)).body).toMatchObject({ status: 'completed', output: { url: expect.any(String) } });
    }
  });

  test('is nothing to a key of another workspace, nor to a token for another job', async () => {
    const key = await workspace.key();
    const [job, other] = [await tenant.create({ tags: ['red'] }), await tenant.create()];
    expect((await poll(job.id, key)).status).toBe(200);
    const foreign = await (await longhaul.workspace()).key();
    const tokens = await Promise.all([`jobId: "${other.id}"`, 'tag: "blue"'].map((opens) => tokenFor(key, opens)));
    for (const secret of [foreign, ...tokens]) expect((await poll(job.id, secret)).status).toBe(404);
    for (const opens of [`jobId: "${job.id}"`, 'tag: "red"']) {
      expect((await poll(job.id, await tokenFor(key, opens))).status).toBe(200);
    }
  });

  test('goes with its job', async () => {
    const key = await workspace.key();
    const job = await tenant.create();
    expect((await poll(job.id, key)).status).toBe(200);
    await longhaul.services.database.hot.query('DELETE FROM job WHERE id = $1', [job.id]);
    expect((await poll(job.id, key)).status).toBe(404);
  });
});

test('who has made all requests of a minute is refused, and neither held nor told what there is not', async () => {
  const key = await workspace.key();
  const job = await tenant.create();
  const answers = await Promise.all(Array.from({ length: 55 }, () => poll(job.id, key)));
  expect(answers.filter(({ status }) => status === 200)).toHaveLength(50);
  expect(await poll(job.id, key, { prefer: 'wait=30' })).toMatchObject({ status: 429 });
  expect(await poll(workspace.id, key)).toMatchObject({ status: 429 });
  expect(longhaul.services.jobs.watched.jobs).toBe(0);
});

test('who has a version of a job is told in a few columns that it still is the newest', async () => {
  const statements: Statement[] = [];
  const reads = new JobReads(observed(longhaul.services.database, (statement) => statements.push(statement)));
  const { job, token } = await tenant.running();
  const known = await tenant.read(job.id);
  expect(await reads.findChanged(known)).toBe('unchanged');
  expect(statements.map(({ sql }) => sql.includes('job.input'))).toEqual([false]);
  await tenant.report(token, { percentage: 10 });
  expect(await reads.findChanged(known)).toMatchObject({ id: job.id, version: known.version + 1 });
});

test('askers of one moment who know different things each get theirs', async () => {
  const reads = new JobReads(longhaul.services.database);
  const [one, two, three] = await tenant.createAll([{}, {}, {}]);
  if (one === undefined || two === undefined || three === undefined) throw new Error('no jobs');
  const stranger = await Tenant.in(longhaul);
  const found = await Promise.all([
    reads.findChanged(one),
    reads.findChanged(three),
    reads.findChanged(two),
    reads.find(tenant.id, two.id),
    reads.findChanged({ ...one, version: one.version + 7 }),
    reads.findChanged({ ...one, workspaceId: stranger.id }),
    reads.find(stranger.id, two.id),
  ]);
  expect(reads.counted).toEqual({ reads: 7, statements: 1 });
  const ids = found.map((each) => (each === null || each === 'unchanged' ? each : each.id));
  expect(ids).toEqual([one.id, 'unchanged', two.id, two.id, one.id, null, null]);
});

test('of many that are known, those that have changed are read whole, in their order', async () => {
  const reads = new JobReads(longhaul.services.database);
  const jobs = await tenant.createAll([{}, {}, {}, {}]);
  const known = jobs.map((job, place) => (place % 2 === 0 ? { ...job, version: job.version - 1 } : job));
  const found = await Promise.all(known.map((each) => reads.findChanged(each)));
  expect(found).toEqual([jobs[0], 'unchanged', jobs[2], 'unchanged']);
  expect(reads.counted).toEqual({ reads: 4, statements: 2 });
});

async function tokenFor(key: string, opens: string): Promise<string> {
  const { data } = await longhaul.graphql(
    `mutation { createAccessToken(input: { ${opens} }) { ... on CreateAccessTokenPayload { token } } }`,
    {},
    key,
  );
  const { createAccessToken: created }: { createAccessToken?: { token?: string } } = Object(data);
  if (created?.token === undefined) throw new Error(`no token came: ${JSON.stringify(data)}`);
  return created.token;
}
