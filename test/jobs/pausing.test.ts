import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { NotFoundError, ValidationError } from '../../src/errors.ts';
import { endLease, type HeldJob, refusal, sweep, Tenant } from '../support/domain.ts';
import { leastTime } from '../support/least-time.ts';
import { type Longhaul, startLonghaul } from '../support/longhaul.ts';

let longhaul: Longhaul;
beforeAll(async () => {
  longhaul = await startLonghaul();
});
afterAll(() => longhaul.stop());

const updateWorkspace = `mutation ($input: UpdateWorkspaceInput!) { updateWorkspace(input: $input) {
  ... on UpdateWorkspacePayload { workspace { name concurrencyLimit paused } } ... on UserError { code message } } }`;
const updateJobType = `mutation ($input: UpdateJobTypeInput!) { updateJobType(input: $input) {
  ... on UpdateJobTypePayload { jobType { name paused } } ... on UserError { code } } }`;
const create = `mutation { createJob(input: { type: "preview", input: { sourceUrl: "https://example.com/a.mp4" } }) {
  ... on CreateJobPayload { job { status } warnings { code } } } }`;

async function ask(query: string, input: object): Promise<unknown> {
  return (await longhaul.graphql(query, { input })).data;
}

/** Pauses a type until the test has ended. */
async function pauseType(name: string): Promise<void> {
  onTestFinished(() => void longhaul.services.jobs.pauseType(name, false));
  expect(await ask(updateJobType, { name, paused: true })).toEqual({ updateJobType: { jobType: { name, paused: true } } });
}

describe('a paused workspace', () => {
  test('lets its jobs wait, those of others go on, and wakes a waiting claim when it is not paused any more', async () => {
    const [paused, other] = [await Tenant.in(longhaul), await Tenant.in(longhaul)];
    const running = await paused.running();
    expect(await ask(updateWorkspace, { id: paused.id, paused: true })).toMatchObject({ updateWorkspace: { workspace: { paused: true } } });
    const [job] = await paused.createAll([{}, { type: 'preview' }]);
    await other.create();
    const types = ['fingerprint', 'preview'];
    expect(await paused.claim({ types, limit: 10 })).toEqual([]);
    expect(await paused.claim({ types, limit: 10, jobIds: [job?.id ?? ''] })).toEqual([]);
    const everywhere = await longhaul.services.jobs.claim(null, { types, workerId: 'all', limit: 10 });
    expect(everywhere.map((each) => each.job.workspaceId)).toEqual([other.id]);
    await paused.report(running.token, { percentage: 50 });
    await paused.complete(running.token);

    const waiting = paused.claim({ types, limit: 10, waitSeconds: 30 });
    await expect.poll(() => longhaul.services.jobs.waitingClaims).toBe(1);
    await ask(updateWorkspace, { id: paused.id, paused: false });
    expect(await waiting).toHaveLength(2);
  });

  test('warns whoever creates a job in it, without a question to the database', async () => {
    const workspace = await longhaul.workspace();
    const key = await workspace.key();
    await Tenant.of(longhaul, workspace.id).claim({ types: ['preview'] });
    const warnings = async () => (await longhaul.graphql(create, {}, key)).data;
    expect(await warnings()).toMatchObject({ createJob: { warnings: [] } });
    await ask(updateWorkspace, { id: workspace.id, paused: true });
    await pauseType('preview');
    expect(await warnings()).toMatchObject({ createJob: { job: { status: 'PENDING' }, warnings: [{ code: 'WORKSPACE_PAUSED' }, { code: 'TYPE_PAUSED' }] } });
    await ask(updateWorkspace, { id: workspace.id, paused: false });
    expect(await warnings()).toMatchObject({ createJob: { warnings: [{ code: 'TYPE_PAUSED' }] } });
  });
});

describe('a paused type', () => {
  test('lets its jobs wait in every workspace, and wakes a waiting claim when it is not paused any more', async () => {
    const [one, other] = [await Tenant.in(longhaul), await Tenant.in(longhaul)];
    await pauseType('comments');
    await one.createAll([{ type: 'comments' }, { type: 'preview' }]);
    await other.create({ type: 'comments' });
    const types = ['comments', 'preview'];
    expect((await one.claim({ types, limit: 10 })).map(({ job }) => job.type)).toEqual(['preview']);
    const waiting = [one, other].map((tenant) => tenant.claim({ types: ['comments'], waitSeconds: 30 }));
    await expect.poll(() => longhaul.services.jobs.waitingClaims).toBe(2);
    await ask(updateJobType, { name: 'comments', paused: false });
    expect((await Promise.all(waiting)).map(({ length }) => length)).toEqual([1, 1]);
    expect((await longhaul.graphql('{ jobTypes { name paused } }')).data?.['jobTypes']).toContainEqual({ name: 'comments', paused: false });
  });

  test('with ten thousand jobs ahead delays a claim of others by less than 50 ms', async () => {
    const tenant = await Tenant.in(longhaul);
    const types = ['comments', 'preview'];
    const milliseconds = async () => {
      await tenant.create({ type: 'preview' });
      const before = performance.now();
      expect(await tenant.claim({ types })).toHaveLength(1);
      return performance.now() - before;
    };
    await pauseType('comments');
    await longhaul.fill(
      `INSERT INTO job (id, workspace_id, type, input, max_attempts, credits_charged, dispatch_at)
       SELECT gen_random_uuid(), $1, 'comments', '{}', 3, 0, now() - interval '1 hour' FROM generate_series(1, 10000)`,
      [tenant.id],
    );
    expect(await leastTime(50, milliseconds)).toBeLessThan(50);
    expect(await tenant.claim({ types })).toEqual([]);
  });

  test('that does not exist is NOT_FOUND', async () => {
    expect(await ask(updateJobType, { name: 'none', paused: true })).toEqual({ updateJobType: { code: 'NOT_FOUND' } });
  });
});

describe('a workspace is changed', () => {
  test('in what is given, and keeps the rest', async () => {
    const { id } = await Tenant.in(longhaul, { concurrencyLimit: 4 });
    const workspace = { name: 'test', concurrencyLimit: 4, paused: false };
    expect(await ask(updateWorkspace, { id })).toEqual({ updateWorkspace: { workspace } });
    expect(await ask(updateWorkspace, { id, name: 'new' })).toEqual({ updateWorkspace: { workspace: { ...workspace, name: 'new' } } });
    expect(await ask(updateWorkspace, { id, concurrencyLimit: null })).toEqual({ updateWorkspace: { workspace: { ...workspace, name: 'new', concurrencyLimit: null } } });
  });

  test('not to a bad name or limit, and none that does not exist', async () => {
    const { id } = await Tenant.in(longhaul);
    const { jobs } = longhaul.services;
    for (const bad of [{ name: '' }, { name: null }, { concurrencyLimit: 0 }, { concurrencyLimit: 10_001 }, { paused: null }]) {
      await refusal(ValidationError, jobs.updateWorkspace(id, bad));
    }
    await refusal(NotFoundError, jobs.updateWorkspace('00000000-0000-7000-8000-000000000000', { concurrencyLimit: 2 }));
    expect(await ask(updateWorkspace, { id: 'none', paused: true })).toMatchObject({ updateWorkspace: { code: 'NOT_FOUND' } });
  });
});

const running = async (tenant: Tenant) => tenant.count(`FROM job WHERE workspace_id = $1 AND status = 'RUNNING'`);
const setLimit = (tenant: Tenant, concurrencyLimit: number | null) => longhaul.services.jobs.updateWorkspace(tenant.id, { concurrencyLimit });

/** Claims, completes and changes the limit at once; afterwards the limit holds, and every slot is there. */
async function changeUnderLoad(): Promise<void> {
  const tenant = await Tenant.in(longhaul, { concurrencyLimit: 6 });
  await tenant.createAll(Array.from({ length: 220 }, () => ({})));
  const work = async () => {
    for (let round = 0; round < 25; round += 1) {
      for (const { token } of await tenant.claim({ limit: 2 })) await tenant.complete(token);
    }
  };
  const change = async () => {
    for (const limit of [3, 1, null, 5, 2, null, 1, 4]) await setLimit(tenant, limit);
  };
  await Promise.all([work(), work(), work(), work(), change()]);
  await setLimit(tenant, 3);
  await sweep(longhaul);
  expect(await tenant.claim({ limit: 10 })).toHaveLength(3);
  expect(await tenant.count('FROM slot WHERE workspace_id = $1')).toBe(3);
}

describe('the limit of a workspace in which jobs run', () => {
  const endings = [
    (tenant: Tenant, { token }: HeldJob) => tenant.complete(token),
    (tenant: Tenant, { token }: HeldJob) => tenant.fail(token),
    (tenant: Tenant, { job }: HeldJob) => tenant.cancel(job.id),
    async (_tenant: Tenant, { job }: HeldJob) => {
      await endLease(longhaul, job.id);
      await sweep(longhaul);
    },
  ];

  test('that is raised lets more of them start', async () => {
    const tenant = await Tenant.in(longhaul, { concurrencyLimit: 1 });
    await tenant.createAll([{}, {}, {}, {}]);
    expect(await tenant.claim({ limit: 4 })).toHaveLength(1);
    const waiting = tenant.claim({ limit: 4, waitSeconds: 30 });
    await expect.poll(() => longhaul.services.jobs.waitingClaims).toBe(1);
    await setLimit(tenant, 3);
    expect(await waiting).toHaveLength(2);
  });

  test.each([5, null])('that is lowered from %s to 2 lets none start until fewer than two run, however they end', async (limit) => {
    const tenant = await Tenant.in(longhaul, limit === null ? {} : { concurrencyLimit: limit });
    await tenant.createAll(Array.from({ length: 12 }, () => ({ maxAttempts: 1 })));
    const held = await tenant.claim({ limit: 5 });
    expect(held).toHaveLength(5);
    await setLimit(tenant, 2);
    for (const [index, each] of held.entries()) {
      expect(await tenant.claim({ limit: 5 })).toHaveLength(0);
      await sweep(longhaul);
      expect(await tenant.claim({ limit: 5 })).toHaveLength(0);
      if (index === 4) break;
      await endings[index]?.(tenant, each);
      if (5 - index - 1 === 1) break;
    }
    await sweep(longhaul);
    expect(await running(tenant)).toBe(1);
    expect(await tenant.claim({ limit: 5 })).toHaveLength(1);
    expect(await tenant.count('FROM slot WHERE workspace_id = $1')).toBe(2);
    await setLimit(tenant, null);
    expect(await tenant.claim({ limit: 3 })).toHaveLength(3);
  });

  test('that changes while rivals claim and jobs end is never exceeded afterwards, and no slot is lost', async () => {
    // In each round an end may wait for the change of a limit, and then see the slots as they were before.
    for (let repetition = 0; repetition < 5; repetition += 1) await changeUnderLoad();
  });
});
