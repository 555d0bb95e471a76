import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ValidationError } from '../../src/errors.ts';
import type { Completion, CompletionOutcome } from '../../src/jobs/end/complete.ts';
import { LeaseLostError } from '../../src/jobs/model/job-errors.ts';
import { endLease, type HeldJob, refusal, Tenant } from '../support/domain.ts';
import { type Longhaul, sharedLonghaul } from '../support/longhaul.ts';

let longhaul: Longhaul;
beforeAll(async () => {
  longhaul = await sharedLonghaul();
});
afterAll(() => longhaul.stop());

function completeAll(tenant: Tenant, completions: Completion[]): Promise<CompletionOutcome[]> {
  return longhaul.services.jobs.completeMany(tenant.id, completions);
}

async function claimed(tenant: Tenant, count: number): Promise<HeldJob[]> {
  await tenant.createAll(Array.from({ length: count }, () => ({})));
  return tenant.claim({ limit: count });
}

/** A word for each outcome: the status of its job, or the error's code. */
function words(outcomes: CompletionOutcome[]): string[] {
  return outcomes.map((outcome) => (outcome instanceof Error ? outcome.code : outcome.status));
}

describe('completions together', () => {
  test('each have an outcome of their own, in the order in which they were sent', async () => {
    const tenant = await Tenant.in(longhaul);
    const other = await Tenant.in(longhaul);
    const foreign = await other.running();
    const [first, expired, cancelled, bad, large, last] = await claimed(tenant, 6);
    if (first === undefined || expired === undefined || cancelled === undefined || bad === undefined || large === undefined || last === undefined) {
      throw new Error('the jobs were not claimed');
    }
    await endLease(longhaul, expired.job.id);
    await tenant.cancel(cancelled.job.id);

    const outcomes = await completeAll(tenant, [
      { token: last.token, output: { place: 'last' } },
      { token: expired.token },
      { token: 'lease_nothing' },
      { token: bad.token, output: { rows: ['a\0b'] } },
      { token: foreign.token },
      { token: cancelled.token },
      { token: large.token, output: 'x'.repeat(1_048_576) },
      { token: first.token, output: [1, 2] },
    ]);

    expect(words(outcomes)).toEqual([
      'COMPLETED',
      'LEASE_LOST',
      'LEASE_LOST',
      'VALIDATION_ERROR',
      'LEASE_LOST',
      'LEASE_LOST',
      'VALIDATION_ERROR',
      'COMPLETED',
    ]);
    expect(outcomes[0]).toMatchObject({ id: last.job.id, output: { place: 'last' }, version: 3 });
    expect(outcomes[7]).toMatchObject({ id: first.job.id, output: [1, 2] });
    expect(outcomes.map((outcome) => (outcome instanceof LeaseLostError ? (outcome.job?.id ?? null) : undefined))).toEqual([
      undefined, expired.job.id, null, undefined, null, cancelled.job.id, undefined, undefined,
    ]);
    expect(outcomes.flatMap((outcome) => (outcome instanceof ValidationError ? outcome.issues.map(({ path }) => path) : []))).toEqual([
      ['completions', '3', 'output', 'rows', '0'],
      ['completions', '6', 'output'],
    ]);
    for (const untouched of [bad, large]) expect(await tenant.read(untouched.job.id)).toEqual(untouched.job);
    expect(await other.read(foreign.job.id)).toEqual(foreign.job);
  });

  test('see to a webhook, a concurrency key and a slot of the workspace, whichever of them each job has', async () => {
    const tenant = await Tenant.in(longhaul);
    const limited = await Tenant.in(longhaul, { concurrencyLimit: 2 });
    for (const round of ['one', 'two']) {
      // No server has this name.
      const webhookUrl = 'https://example.invalid/hook';
      await tenant.createAll([{}, { webhookUrl }, { concurrencyKey: round, concurrencyLimit: 1 }, {}]);
      await limited.createAll([{}, {}]);
      const attempts = await Promise.all([tenant.claim({ limit: 10 }), limited.claim({ limit: 10 })]);
      const tokens = attempts.flat().map(({ token }) => ({ token }));
      // A key's job may have to be settled first.
      while (tokens.length < 6) tokens.push(...(await tenant.claim({ limit: 1, waitSeconds: 5 })).map(({ token }) => ({ token })));
      expect(words(await longhaul.services.jobs.completeMany(null, tokens))).toEqual(tokens.map(() => 'COMPLETED'));
    }
    expect(await tenant.count('FROM webhook_delivery WHERE workspace_id = $1')).toBe(2);
    expect(await tenant.count('FROM concurrency_key WHERE workspace_id = $1 AND taken > 0')).toBe(0);
    expect(await limited.count('FROM slot WHERE workspace_id = $1 AND job_id IS NOT NULL')).toBe(0);
    expect(await tenant.count('FROM lease WHERE workspace_id = $1')).toBe(0);
    expect(await tenant.count(`FROM job_attempt WHERE workspace_id = $1 AND outcome = 'COMPLETED'`)).toBe(8);
    expect(await tenant.count(`FROM job_change WHERE workspace_id = $1 AND previous_status = 'RUNNING' AND claimed_at IS NOT NULL`)).toBe(8);
  });

  test('again, after a lost reply, have the same outcomes', async () => {
    const tenant = await Tenant.in(longhaul);
    const held = await claimed(tenant, 100);
    const completions = held.map(({ token }, index) => ({ token, output: { index } }));
    const outcomes = await completeAll(tenant, completions);
    expect(new Set(words(outcomes))).toEqual(new Set(['COMPLETED']));
    expect(await completeAll(tenant, completions)).toEqual(outcomes);
    const others = completions.map(({ token }) => ({ token, output: 'another' }));
    expect(new Set(words(await completeAll(tenant, others)))).toEqual(new Set(['LEASE_LOST']));
    expect(await tenant.count('FROM job_attempt WHERE workspace_id = $1')).toBe(100);
  });

  test('with one token twice: the first counts, and the second is as if it came later', async () => {
    const tenant = await Tenant.in(longhaul);
    const [one, another] = await claimed(tenant, 2);
    const same = { token: one?.token ?? '', output: { kept: true } };
    const outcomes = await completeAll(tenant, [
      { token: another?.token ?? '', output: 'x'.repeat(1_048_577) },
      same,
      { token: one?.token ?? '', output: 'another' },
      same,
      { token: another?.token ?? '', output: 'small enough' },
    ]);
    expect(words(outcomes)).toEqual(['VALIDATION_ERROR', 'COMPLETED', 'LEASE_LOST', 'COMPLETED', 'COMPLETED']);
    expect(outcomes[3]).toEqual(outcomes[1]);
    expect(outcomes[4]).toMatchObject({ output: 'small enough' });
  });

  test('are 1 to 1,000', async () => {
    const tenant = await Tenant.in(longhaul);
    for (const count of [0, 1_001]) {
      const { issues } = await refusal(ValidationError, completeAll(tenant, Array.from({ length: count }, () => ({ token: 'x' }))));
      expect(issues.map(({ path }) => path)).toEqual([['completions']]);
    }
    expect(words(await completeAll(tenant, Array.from({ length: 1_000 }, (_, index) => ({ token: `x${index}` }))))).toEqual(
      Array.from({ length: 1_000 }, () => 'LEASE_LOST'),
    );
  });
});

test('over GraphQL: a result for each completion, and one error for an input that cannot be read', async () => {
  const workspace = await longhaul.workspace();
  const key = await workspace.key({ scopes: ['WORK'] });
  const tenant = Tenant.of(longhaul, workspace.id);
  const { token } = await tenant.running();
  const { token: kept, job } = await tenant.running();
  const complete = (completions: object[]) =>
    longhaul.graphql(
      `mutation ($input: CompleteJobsInput!) { completeJobs(input: $input) {
         __typename
         ... on CompleteJobsPayload { results { __typename ... on CompleteJobPayload { job { status } } ... on UserError { code } ... on ValidationError { issues { path } } } }
         ... on ValidationError { issues { path } }
       } }`,
      { input: { completions } },
      key,
    );

  expect(await complete([{ token: kept, output: 1 }, { token: 7 }, { token: kept, outptu: 1 }])).toMatchObject({
    data: { completeJobs: { __typename: 'ValidationError', issues: [{ path: ['completions', '1', 'token'] }, { path: ['completions', '2', 'outptu'] }] } },
  });
  expect(await tenant.read(job.id)).toEqual(job);
  expect((await complete([{ token, output: { a: 1 } }, { token: kept, output: '\ud800' }, { token: 'lease_x' }])).data).toEqual({
    completeJobs: {
      __typename: 'CompleteJobsPayload',
      results: [
        { __typename: 'CompleteJobPayload', job: { status: 'COMPLETED' } },
        { __typename: 'ValidationError', code: 'VALIDATION_ERROR', issues: [{ path: ['completions', '1', 'output'] }] },
        { __typename: 'LeaseLostError', code: 'LEASE_LOST' },
      ],
    },
  });
});
