import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Job } from '../../src/jobs/model/job.ts';
import type { JsonObject } from '../../src/json.ts';
import type { Dialect } from '../../src/workspaces/dialect.ts';
import { Tenant } from '../support/domain.ts';
import { backend, type Longhaul, sharedLonghaul } from '../support/longhaul.ts';
import { rest } from '../support/rest.ts';

let longhaul: Longhaul;
beforeAll(async () => {
  longhaul = await sharedLonghaul();
});
afterAll(() => longhaul.stop());

/** A tenant and its Vydra client's list. */
async function client() {
  const workspace = await longhaul.workspace();
  const key = await workspace.key({ dialect: 'VYDRA' });
  const tenant = Tenant.of(longhaul, workspace.id);
  return {
    tenant,
    list: async (query = '') => {
      const { status, body } = await rest(`${longhaul.url}/api/v1/jobs${query}`, { key });
      return { status, body: Object(body) as { data: JsonObject[]; pagination: JsonObject } & JsonObject };
    },
    create: (dialect: Dialect = 'VYDRA', type = 'fingerprint'): Promise<Job> => {
      const input = { sourceUrl: 'https://example.com/a.mp4', theme: 'barn' };
      return longhaul.services.jobs.create(tenant.id, { type, input }, { dialect });
    },
  };
}

/** What is shown of every job. */
function item({ id, createdAt }: Job) {
  return { id, workflowSlug: 'fingerprint', creditsCharged: 1, createdAt: createdAt.toISOString() };
}

const idsOf = ({ body }: { body: { data: JsonObject[] } }) => body.data.map(({ id }) => id);

test('each item is what the single job is, without the workflow', async () => {
  const { tenant, list, create } = await client();
  const jobs = [];
  for (let count = 0; count < 6; count++) jobs.push(await create());
  const [waiting, running, between, completed, failed, cancelled] = jobs as [Job, Job, Job, Job, Job, Job];
  await tenant.report((await tenant.start(running)).token, { percentage: 45, message: 'Digging' });
  const { token } = await tenant.start(between);
  await tenant.report(token, { percentage: 10, message: 'Looking' });
  await tenant.fail(token);
  const output = { videoUrl: 'https://cdn.example.com/out.mp4' };
  const done = await tenant.complete((await tenant.start(completed)).token, output);
  const lost = await tenant.fail((await tenant.start(failed)).token, { code: 'X', message: 'It broke.', retryable: false });
  const gone = await tenant.cancel(cancelled.id);

  const open = { completedAt: null, output: null };
  const refund = { creditsRefunded: 1, refundStatus: 'completed', output: null };
  const expected = {
    cancelled: {
      ...item(gone),
      status: 'cancelled',
      progress: 0,
      statusMessage: 'Job cancelled',
      ...refund,
      completedAt: gone.finishedAt?.toISOString(),
    },
    failed: {
      ...item(lost),
      status: 'failed',
      progress: 0,
      statusMessage: 'It broke.',
      error: { message: 'It broke.', code: 'X' },
      ...refund,
      completedAt: lost.finishedAt?.toISOString(),
    },
    completed: {
      ...item(done),
      status: 'completed',
      progress: 100,
      statusMessage: 'Completed successfully',
      output,
      completedAt: done.finishedAt?.toISOString(),
    },
    between: { ...item(between), status: 'running', progress: 10, statusMessage: 'Looking', ...open },
    running: { ...item(running), status: 'running', progress: 45, statusMessage: 'Digging', ...open },
    waiting: { ...item(waiting), status: 'pending', progress: 0, statusMessage: 'Waiting to start...', ...open },
  };
  expect(await list()).toEqual({
    status: 200,
    body: { data: Object.values(expected), pagination: { limit: 20, offset: 0, count: 6 } },
  });

  const shownAs = {
    pending: [expected.waiting],
    running: [expected.between, expected.running],
    completed: [expected.completed],
    failed: [expected.failed],
    cancelled: [expected.cancelled],
  };
  for (const [status, data] of Object.entries(shownAs)) {
    expect((await list(`?status=${status}&limit=10`)).body).toEqual({ data, pagination: { limit: 10, offset: 0, count: data.length } });
  }
});

test('the pages follow each other, newest first, and an offset past the end is an empty page', async () => {
  const { list, create } = await client();
  const jobs = [];
  for (let count = 0; count < 7; count++) jobs.push(await create());
  const ids = jobs.map(({ id }) => id).toReversed();
  for (const offset of [0, 3, 6, 7, 100_000, 100_001, Number.MAX_SAFE_INTEGER]) {
    const page = await list(`?limit=3&offset=${offset}`);
    expect(idsOf(page)).toEqual(ids.slice(offset, offset + 3));
    expect(page.body.pagination).toEqual({ limit: 3, offset, count: page.body.data.length });
  }
});

test.runIf(backend === 'servers')('an offset that is too deep for a list this long is refused with the way out', async () => {
  const { tenant, list } = await client();
  await longhaul.fill(
    `INSERT INTO job (id, workspace_id, type, status, input, max_attempts, credits_charged, dialect)
     SELECT lpad(to_hex(n), 32, '0')::uuid, $1, 'fingerprint', 'COMPLETED', '{}', 1, 0, 'VYDRA' FROM generate_series(1, 100001) AS n`,
    [tenant.id],
  );
  expect((await list('?offset=100000')).body.pagination).toEqual({ limit: 20, offset: 100_000, count: 1 });
  const { status, body } = await list('?offset=100001');
  expect({ status, body }).toEqual({
    status: 400,
    body: { error: expect.stringMatching(/^offset: at most 100000 .* status$/), code: 'INVALID_INPUT' },
  });
});

test("shown are the jobs that came through the dialect, and those of its own types, and nobody else's", async () => {
  const { list, create } = await client();
  const own = await create('VYDRA', 'fingerprint');
  const native = await create('NATIVE', 'house-timelapse');
  await create('NATIVE', 'fingerprint');
  await create('VIDEOCONDUIT', 'fingerprint');
  await (await Tenant.in(longhaul)).create({ type: 'house-timelapse', input: {} });
  expect(idsOf(await list())).toEqual([native.id, own.id]);
});

test.each([
  'limit=0',
  'limit=101',
  'limit=-1',
  'limit=1.5',
  'limit=',
  'limit=ten',
  'limit=5&limit=6',
  'offset=-1',
  'offset=1e3',
  'offset=',
  'offset=9007199254740992',
  'offset=9007199254740993',
  'limit=9007199254740993',
  'status=PENDING',
  'status=queued',
  'status=',
])('%s is refused', async (query) => {
  const { list } = await client();
  const { status, body } = await list(`?${query}`);
  const [field = ''] = query.split('=');
  expect({ status, body }).toEqual({
    status: 400,
    // Once, whatever is wrong with it.
    body: { error: expect.stringMatching(new RegExp(`^${field}: [^;]+$`)), code: 'INVALID_INPUT' },
  });
});
