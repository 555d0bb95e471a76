import { afterAll, beforeAll, expect, test } from 'vitest';
import { ValidationError } from '../../src/errors.ts';
import type { Job } from '../../src/jobs/model/job.ts';
import { refusal, sweep, Tenant } from '../support/domain.ts';
import { type Longhaul, sharedLonghaul } from '../support/longhaul.ts';

let longhaul: Longhaul;
beforeAll(async () => {
  longhaul = await sharedLonghaul();
});
afterAll(() => longhaul.stop());

/** Fails the attempt of a job, with so many seconds until the next. */
async function fail(tenant: Tenant, retryAfterSeconds: number | null, more: { retryable?: boolean; maxAttempts?: number } = {}): Promise<Job> {
  const { maxAttempts, ...failure } = more;
  const { token } = await tenant.running(maxAttempts === undefined ? {} : { maxAttempts });
  return longhaul.services.jobs.fail(tenant.id, { token, code: 'BUSY', message: 'Come back later.', retryAfterSeconds, ...failure });
}

/** Seconds from the failure to the next attempt. */
function pause({ dueAt, updatedAt }: Job): number {
  return (dueAt.getTime() - updatedAt.getTime()) / 1_000;
}

test.each([1, 90, 86_400])('a worker that asks for %i s gets exactly those, in place of the backoff', async (seconds) => {
  const job = await fail(await Tenant.in(longhaul), seconds);
  expect(job).toMatchObject({ status: 'PENDING', failedAttempts: 1 });
  expect(pause(job)).toBe(seconds);
});

test('one that asks for none gets the backoff', async () => {
  const job = await fail(await Tenant.in(longhaul), null);
  expect(pause(job)).toBeGreaterThanOrEqual(1.5);
  expect(pause(job)).toBeLessThanOrEqual(2.5);
});

test('after 0 s the job can be claimed at once, and a worker that waits gets it', async () => {
  const tenant = await Tenant.in(longhaul);
  const { id, attempt } = await fail(tenant, 0);
  const [again] = await tenant.claim({ jobIds: [id] });
  expect(again?.job).toMatchObject({ id, attempt: attempt + 1 });
  const waiting = tenant.claim({ waitSeconds: 30 });
  await longhaul.services.jobs.fail(tenant.id, { token: again?.token ?? '', code: 'BUSY', message: 'Again.', retryAfterSeconds: 0 });
  expect((await waiting).map(({ job }) => job.id)).toEqual([id]);
});

test('the last attempt stays the last, and so does one that is not retryable', async () => {
  const tenant = await Tenant.in(longhaul);
  for (const more of [{ maxAttempts: 1 }, { retryable: false }]) {
    expect(await fail(tenant, 0, more)).toMatchObject({ status: 'FAILED', creditsRefunded: 1, error: { code: 'BUSY' } });
  }
  await sweep(longhaul);
  expect(await tenant.claim()).toEqual([]);
});

test('what is no number of seconds up to a day is refused, and the attempt goes on', async () => {
  const workspace = await longhaul.workspace();
  const key = await workspace.key();
  const tenant = Tenant.of(longhaul, workspace.id);
  const { job, token } = await tenant.running();
  for (const retryAfterSeconds of [-1, 86_401, 1.5]) {
    const failure = longhaul.services.jobs.fail(tenant.id, { token, code: 'BUSY', message: 'Later.', retryAfterSeconds });
    expect((await refusal(ValidationError, failure)).issues.map(({ path }) => path)).toEqual([['retryAfterSeconds']]);
  }
  const { data } = await longhaul.graphql(
    'mutation ($input: FailJobInput!) { failJob(input: $input) { ... on ValidationError { issues { path } } } }',
    { input: { token, code: 'BUSY', message: 'Later.', retryAfterSeconds: '60' } },
    key,
  );
  expect(data).toEqual({ failJob: { issues: [{ path: ['retryAfterSeconds'] }] } });
  expect(await tenant.read(job.id)).toEqual(job);
});
