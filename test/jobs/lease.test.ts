import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ValidationError } from '../../src/errors.ts';
import { completeJob } from '../../src/jobs/end/complete.ts';
import { LeaseLostError } from '../../src/jobs/model/job-errors.ts';
import { listAttempts } from '../../src/jobs/read/attempts.ts';
import { encodeLeaseToken } from '../../src/jobs/claim/lease-token.ts';
import { becomeDue, contextOf, endLease, type HeldJob, refusal, sweep, Tenant } from '../support/domain.ts';
import { type Longhaul, sharedLonghaul } from '../support/longhaul.ts';

let longhaul: Longhaul;
beforeAll(async () => {
  longhaul = await sharedLonghaul();
});
afterAll(() => longhaul.stop());

function query<Row>(sql: string, parameters: readonly unknown[]): Promise<Row[]> {
  return longhaul.services.database.hot.query<Row>(sql, parameters);
}

/** Lets the lease run out and the sweep notice. */
async function expire(tenant: Tenant, jobId: string) {
  await endLease(longhaul, jobId);
  await sweep(longhaul);
  return tenant.read(jobId);
}

async function nextAttempt(tenant: Tenant, jobId: string): Promise<HeldJob> {
  await becomeDue(longhaul, jobId);
  return tenant.start(await tenant.read(jobId));
}

/** Everything that a worker may say of its job. */
const writes = {
  report: (tenant: Tenant, token: string) => tenant.report(token, { percentage: 99 }),
  heartbeat: (tenant: Tenant, token: string) => tenant.report(token),
  complete: (tenant: Tenant, token: string) => tenant.complete(token, 'late'),
  fail: (tenant: Tenant, token: string) => tenant.fail(token, { message: 'late' }),
  release: (tenant: Tenant, token: string) => tenant.release(token),
};

describe.each(Object.entries(writes))('a late worker that wants to %s', (_name, write) => {
  async function refused(tenant: Tenant, { job, token }: HeldJob): Promise<void> {
    const before = await tenant.read(job.id);
    // Once another attempt has begun, the token shows nothing of the job.
    const shown = before.attempt === job.attempt ? before : null;
    expect((await refusal(LeaseLostError, write(tenant, token))).job).toEqual(shown);
    expect(await tenant.read(job.id)).toEqual(before);
  }

  test('is told so when its lease has expired', async () => {
    const tenant = await Tenant.in(longhaul);
    const late = await tenant.running();
    await expire(tenant, late.job.id);
    await refused(tenant, late);
  });

  test('is told so before the sweep has come', async () => {
    const tenant = await Tenant.in(longhaul);
    const late = await tenant.running();
    await query(`UPDATE lease SET expires_at = now() WHERE job_id = $1`, [late.job.id]);
    const { job } = await refusal(LeaseLostError, write(tenant, late.token));
    expect(job?.id).toBe(late.job.id);
  });

  test('cannot touch the attempt that came after its own', async () => {
    const tenant = await Tenant.in(longhaul);
    const late = await tenant.running();
    await expire(tenant, late.job.id);
    const second = await nextAttempt(tenant, late.job.id);
    await refused(tenant, late);
    expect(await tenant.complete(second.token)).toMatchObject({ status: 'COMPLETED', attempt: 2, failedAttempts: 1 });
    await refused(tenant, late);
  });

  test('cannot overwrite a cancelled job', async () => {
    const tenant = await Tenant.in(longhaul);
    const late = await tenant.running();
    await tenant.cancel(late.job.id, 'no longer wanted');
    await refused(tenant, late);
  });

  test('cannot take back its release', async () => {
    const tenant = await Tenant.in(longhaul);
    const late = await tenant.running();
    await tenant.release(late.token);
    await refused(tenant, late);
  });

  test('is told nothing with a token that names nothing, or the job of another workspace', async () => {
    const [tenant, other] = await Promise.all([Tenant.in(longhaul), Tenant.in(longhaul)]);
    const { job, token } = await tenant.running();
    const foreign = await other.running();
    const garbage = [
      '',
      'lease_',
      'lease_%%%',
      token.slice(0, -1),
      `${token}A`,
      token.slice('lease_'.length),
      encodeLeaseToken({ jobId: job.id, token: randomUUID() }),
      encodeLeaseToken({ jobId: randomUUID(), token: randomUUID() }),
      foreign.token,
    ];
    for (const wrong of garbage) {
      expect((await refusal(LeaseLostError, write(tenant, wrong))).job).toBeNull();
    }
    expect(await tenant.read(job.id)).toEqual(job);
    expect(await other.read(foreign.job.id)).toEqual(foreign.job);
  });
});

describe('the same message again, after a lost reply', () => {
  test('a completion with the same output gives the same answer', async () => {
    const tenant = await Tenant.in(longhaul);
    const { token } = await tenant.running();
    const job = await tenant.complete(token, { a: 1, b: [1.5, null] });
    expect(await tenant.complete(token, { b: [1.5, null], a: 1.0 })).toEqual(job);
  });

  test('a completion without output, too', async () => {
    const tenant = await Tenant.in(longhaul);
    const { token } = await tenant.running();
    const job = await tenant.complete(token, null);
    expect(await tenant.complete(token, null)).toEqual(job);
  });

  test('a completion is answered alike after the limit of outputs was lowered, and no other is taken', async () => {
    const tenant = await Tenant.in(longhaul);
    const output = { text: 'x'.repeat(100) };
    const { token } = await tenant.running();
    const job = await tenant.complete(token, output);
    const context = contextOf(longhaul);
    const lowered = { ...context, limits: { ...context.limits, maxOutputBytes: 50 } };
    expect(await completeJob(lowered, tenant.id, { token, output })).toEqual(job);
    const other = { text: 'y'.repeat(100) };
    await refusal(ValidationError, completeJob(lowered, tenant.id, { token, output: other }));
    const running = await tenant.running();
    await refusal(ValidationError, completeJob(lowered, tenant.id, { token: running.token, output }));
  });

  test('a completion with another output has lost its lease', async () => {
    const tenant = await Tenant.in(longhaul);
    const { token } = await tenant.running();
    const job = await tenant.complete(token, { a: 1 });
    expect((await refusal(LeaseLostError, tenant.complete(token, { a: 2 }))).job).toEqual(job);
    expect(await tenant.read(job.id)).toEqual(job);
  });

  test('a failure gives the same answer, and counts once', async () => {
    const tenant = await Tenant.in(longhaul);
    const { token } = await tenant.running();
    const job = await tenant.fail(token);
    expect(await tenant.fail(token)).toEqual(job);
    expect(job.failedAttempts).toBe(1);
  });

  test('ten completions at once are one', async () => {
    const tenant = await Tenant.in(longhaul);
    const { token } = await tenant.running();
    const jobs = await Promise.all(Array.from({ length: 10 }, () => tenant.complete(token)));
    expect(new Set(jobs.map(({ version }) => version))).toEqual(new Set([3]));
  });
});

describe('a heartbeat', () => {
  test('renews the lease and changes nothing that a reader sees', async () => {
    const tenant = await Tenant.in(longhaul);
    const { job, token } = await tenant.running();
    await query(`UPDATE lease SET expires_at = now() + interval '10 s' WHERE job_id = $1`, [job.id]);
    const [before] = await query<{ expires_at: string }>('SELECT expires_at FROM lease WHERE job_id = $1', [job.id]);

    const expiresAt = await tenant.report(token);

    expect(expiresAt.getTime()).toBeGreaterThan(new Date(before?.expires_at ?? Number.NaN).getTime());
    expect(await tenant.read(job.id)).toEqual(job);
  });

  test('never carries the lease beyond the time of its attempt', async () => {
    const tenant = await Tenant.in(longhaul);
    const { job, token } = await tenant.running();
    const [lease] = await query<{ deadline_at: string }>(
      `UPDATE lease SET deadline_at = now() + interval '20 s' WHERE job_id = $1 RETURNING deadline_at`,
      [job.id],
    );
    expect(await tenant.report(token)).toEqual(new Date(lease?.deadline_at ?? Number.NaN));
    expect(await tenant.report(token, { percentage: 5 })).toEqual(new Date(lease?.deadline_at ?? Number.NaN));
  });
});

describe('an attempt that ends by itself', () => {
  test('has LEASE_EXPIRED noted where its worker was silent, and its job waits for another one', async () => {
    const tenant = await Tenant.in(longhaul);
    const { job } = await tenant.running();
    expect(await expire(tenant, job.id)).toMatchObject({ status: 'PENDING', failedAttempts: 1, error: null, version: 3 });
    const [attempt] = await listAttempts(longhaul.services.database.em(), [job.id]);
    expect(attempt).toMatchObject({ number: 1, error: { code: 'LEASE_EXPIRED' }, endedAt: expect.any(Date) });
  });

  test('has TIMEOUT noted where it took too long, however lively its worker was', async () => {
    const tenant = await Tenant.in(longhaul);
    const { job, token } = await tenant.running({ maxAttempts: 1 });
    await tenant.report(token, { percentage: 50 });
    await query(
      `UPDATE lease SET deadline_at = now() - interval '1 s', expires_at = now() - interval '1 s' WHERE job_id = $1`,
      [job.id],
    );
    await sweep(longhaul);
    expect(await tenant.read(job.id)).toMatchObject({ status: 'FAILED', error: { code: 'TIMEOUT' } });
  });

  test('was the last: the job has FAILED and is refunded once, however many sweeps there are', async () => {
    const tenant = await Tenant.in(longhaul, { credits: 3 });
    const { job } = await tenant.running({ type: 'transcribe', maxAttempts: 2 });
    await expire(tenant, job.id);
    await nextAttempt(tenant, job.id);
    const failed = await expire(tenant, job.id);
    await Promise.all([sweep(longhaul), sweep(longhaul)]);
    expect(failed).toMatchObject({ status: 'FAILED', failedAttempts: 2, creditsRefunded: 3, finishedAt: expect.any(Date) });
    expect(await tenant.read(job.id)).toEqual(failed);
    expect(await tenant.balance()).toBe(3);
    expect((await tenant.ledger()).map(({ kind }) => kind)).toEqual(['GRANT', 'CHARGE', 'REFUND']);
  });
});

test('a released attempt does not count, however often it happens', async () => {
  const tenant = await Tenant.in(longhaul);
  const job = await tenant.create({ maxAttempts: 1 });
  for (let attempt = 1; attempt <= 5; attempt += 1) {
    const { token } = await tenant.start(job);
    expect(await tenant.release(token)).toMatchObject({ status: 'PENDING', attempt, failedAttempts: 0, finishedAt: null });
  }
  const { token } = await tenant.start(job);
  expect(await tenant.fail(token)).toMatchObject({ status: 'FAILED', attempt: 6, failedAttempts: 1 });
});

test('the wait before another attempt doubles each time, within a quarter either way, up to ten minutes', async () => {
  const tenant = await Tenant.in(longhaul);
  const { id } = await tenant.create({ maxAttempts: 13 });
  for (let failures = 0; failures < 12; failures += 1) {
    const { token } = await nextAttempt(tenant, id);
    const { dueAt, statusChangedAt } = await tenant.fail(token);
    const milliseconds = dueAt.getTime() - statusChangedAt.getTime();
    const usual = Math.min(2_000 * 2 ** failures, 600_000);
    // Both instants lose their microseconds.
    expect(milliseconds).toBeGreaterThanOrEqual(usual * 0.75 - 1);
    expect(milliseconds).toBeLessThanOrEqual(usual * 1.25 + 1);
  }
});

test('jobs that failed at one instant do not come back at once', async () => {
  const tenant = await Tenant.in(longhaul);
  await tenant.createAll(Array.from({ length: 20 }, () => ({})));
  const failed = await Promise.all((await tenant.claim({ limit: 20 })).map(({ token }) => tenant.fail(token)));
  const waits = failed.map(({ dueAt, statusChangedAt }) => dueAt.getTime() - statusChangedAt.getTime());
  expect(new Set(waits).size).toBeGreaterThan(5);
});
