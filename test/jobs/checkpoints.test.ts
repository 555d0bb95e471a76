import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ValidationError } from '../../src/errors.ts';
import type { JsonValue } from '../../src/json.ts';
import { LeaseLostError } from '../../src/jobs/model/job-errors.ts';
import type { Job } from '../../src/jobs/model/job.ts';
import { becomeDue, endLease, type HeldJob, refusal, sweep, Tenant } from '../support/domain.ts';
import { type Longhaul, sharedLonghaul } from '../support/longhaul.ts';

let longhaul: Longhaul;
beforeAll(async () => {
  longhaul = await sharedLonghaul();
});
afterAll(() => longhaul.stop());

/** What the next attempt at this job finds; undefined for nothing. */
async function leftBy({ id, workspaceId }: Job): Promise<JsonValue | undefined> {
  return (await longhaul.services.jobs.checkpoints([{ id, workspaceId }])).get(id);
}

/** How an attempt ends that another one follows. */
const ends = {
  'its lease expired': async (_tenant: Tenant, { job }: HeldJob) => {
    await endLease(longhaul, job.id);
    await sweep(longhaul);
  },
  'it failed': (tenant: Tenant, { token }: HeldJob) => tenant.fail(token),
  'it was released': (tenant: Tenant, { token }: HeldJob) => tenant.release(token),
};

async function nextAttempt(tenant: Tenant, { id }: Job): Promise<HeldJob> {
  await becomeDue(longhaul, id);
  return tenant.start(await tenant.read(id));
}

describe.each(Object.entries(ends))('when %s', (_how, end) => {
  test('the next attempt has the last checkpoint, also the one after that, and a late report changes nothing', async () => {
    const tenant = await Tenant.in(longhaul);
    const first = await tenant.running();
    await tenant.report(first.token, { checkpoint: { done: 1 } });
    await tenant.report(first.token, { checkpoint: { done: 2 }, percentage: 20 });
    await tenant.report(first.token, { message: 'a report without one' });
    await end(tenant, first);
    await refusal(LeaseLostError, tenant.report(first.token, { checkpoint: { done: 'late' } }));

    const second = await nextAttempt(tenant, first.job);
    expect(await leftBy(second.job)).toEqual({ done: 2 });
    await refusal(LeaseLostError, tenant.report(first.token, { checkpoint: { done: 'later' } }));
    await end(tenant, second);
    expect(await leftBy((await nextAttempt(tenant, first.job)).job)).toEqual({ done: 2 });
  });
});

test('of checkpoints that are reported together the newest counts; null clears, and what is left out keeps', async () => {
  const tenant = await Tenant.in(longhaul);
  const { job, token } = await tenant.running();
  const report = (checkpoints: (JsonValue | undefined)[]) => Promise.all(checkpoints.map((checkpoint) => tenant.report(token, { checkpoint })));
  await report([1, 2, 3, undefined]);
  expect(await leftBy(job)).toBe(3);
  await report([4, null]);
  expect(await leftBy(job)).toBeUndefined();
  await report([null, { a: [] }, undefined]);
  expect(await leftBy(job)).toEqual({ a: [] });
  await report([undefined, null]);
  expect(await leftBy(job)).toBeUndefined();
});

test('reports of many jobs in one batch keep their own', async () => {
  const tenant = await Tenant.in(longhaul);
  const held = await Promise.all(Array.from({ length: 20 }, () => tenant.running()));
  await Promise.all(held.map(({ token }, index) => tenant.report(token, index % 3 === 0 ? { percentage: index } : { checkpoint: [index] })));
  const left = await Promise.all(held.map(({ job }) => leftBy(job)));
  expect(left).toEqual(held.map((_, index) => (index % 3 === 0 ? undefined : [index])));
});

test.each<JsonValue>([0, false, '', [], {}, 'text', 1.5, [null], { deep: [{ list: [1, 'two', null] }] }])('may be %j', async (checkpoint) => {
  const tenant = await Tenant.in(longhaul);
  const { job, token } = await tenant.running();
  await tenant.report(token, { checkpoint });
  expect(await leftBy(job)).toEqual(checkpoint);
});

test('readers are shown nothing of it: a checkpoint alone makes no version', async () => {
  const tenant = await Tenant.in(longhaul);
  const { job, token } = await tenant.running();
  await tenant.report(token, { checkpoint: 'only for workers' });
  expect(await tenant.read(job.id)).toEqual(job);
});

describe('is refused, and the last one stays,', () => {
  test.each<[string, JsonValue, string[]]>([
    ['above 65,536 bytes', 'é'.repeat(32_768), ['checkpoint']],
    ['with NUL', { a: ['\0'] }, ['checkpoint', 'a', '0']],
    ['with half of a surrogate pair', { '\ud800': 1 }, ['checkpoint']],
    ['with a number that JSON parsers round', { id: 2 ** 53 }, ['checkpoint', 'id']],
  ])('%s', async (_what, checkpoint, path) => {
    const tenant = await Tenant.in(longhaul);
    const { job, token } = await tenant.running();
    await tenant.report(token, { checkpoint: 'é'.repeat(32_767) });
    const { issues } = await refusal(ValidationError, tenant.report(token, { checkpoint, percentage: 50 }));
    expect(issues).toMatchObject([{ path }]);
    expect(await leftBy(job)).toBe('é'.repeat(32_767));
    expect(await tenant.read(job.id)).toEqual(job);
  });
});

test('is kept until the job has ended, and not for long after that', async () => {
  const tenant = await Tenant.in(longhaul);
  const start = async () => {
    const held = await tenant.running({ maxAttempts: 1 });
    await tenant.report(held.token, { checkpoint: 1 });
    return held;
  };
  const [completed, failed, cancelled, waiting, running] = await Promise.all([start(), start(), start(), start(), start()]);
  await tenant.complete(completed.token);
  await tenant.fail(failed.token);
  await tenant.cancel(cancelled.job.id);
  await tenant.release(waiting.token);
  await longhaul.sweeper.keepHouse();
  const left = await Promise.all([completed, failed, cancelled, waiting, running].map(({ job }) => leftBy(job)));
  expect(left).toEqual([undefined, undefined, undefined, 1, 1]);
  expect(await tenant.count('FROM job_checkpoint WHERE workspace_id = $1')).toBe(2);
});

function tokenOf(claimed: unknown): string {
  return /lease_[\w-]+/.exec(JSON.stringify(claimed))?.[0] ?? '';
}

test('goes to the worker with its lease, over GraphQL, and to nobody who asks for the job', async () => {
  const workspace = await longhaul.workspace();
  const key = await workspace.key();
  const tenant = Tenant.of(longhaul, workspace.id);
  const { id } = await tenant.create();
  const claim = async () => {
    const document = `mutation ($id: ID!) { claimJobs(input: { types: ["fingerprint"], jobIds: [$id], workerId: "w" }) {
      ... on ClaimJobsPayload { leases { attempt token checkpoint } } } }`;
    const { data } = await longhaul.graphql(document, { id }, key);
    return data?.['claimJobs'];
  };
  const report = (token: string, input: string, variables: object = {}, declared = '') =>
    longhaul.graphql(`mutation ($token: String!${declared}) { reportProgress(input: { token: $token ${input} }) { __typename } }`, { token, ...variables }, key);
  const again = async (token: string) => {
    await tenant.release(token);
    return claim();
  };

  const first = await claim();
  expect(first).toMatchObject({ leases: [{ attempt: 1, checkpoint: null }] });
  await report(tokenOf(first), 'checkpoint: { page: 7 }');
  await report(tokenOf(first), 'checkpoint: $left', {}, ', $left: JSON');
  const second = await again(tokenOf(first));
  expect(second).toMatchObject({ leases: [{ attempt: 2, checkpoint: { page: 7 } }] });
  await report(tokenOf(second), 'checkpoint: $sent', { sent: null }, ', $sent: JSON');
  const third = await again(tokenOf(second));
  expect(third).toMatchObject({ leases: [{ attempt: 3, checkpoint: null }] });
});
