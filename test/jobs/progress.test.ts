import { setImmediate as nextTurn } from 'node:timers/promises';
import * as fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ValidationError } from '../../src/errors.ts';
import { type Report, reportProgress } from '../../src/jobs/progress/report.ts';
import { ReportQueue } from '../../src/jobs/progress/report-queue.ts';
import { becomeDue, contextOf, refusal, Tenant } from '../support/domain.ts';
import { mayIdle } from '../support/lock-waits.ts';
import { backend, type Longhaul, sharedLonghaul } from '../support/longhaul.ts';
import { observed } from '../support/observed-database.ts';

let longhaul: Longhaul;
beforeAll(async () => {
  longhaul = await sharedLonghaul();
});
afterAll(() => longhaul.stop());

type Fields = Omit<Report, 'token'>;

/** A queue of its own, and how many statements it has sent. */
function counted(): { queue: ReportQueue; statements: () => number } {
  const context = contextOf(longhaul);
  let sent = 0;
  const count = () => {
    sent += 1;
  };
  const database = observed(context.database, () => undefined, count);
  return { queue: new ReportQueue({ ...context, database }), statements: () => sent };
}

/** Reports one after the other, each in a batch of its own, and gives what is shown after each. */
async function shownAfter(reports: readonly Fields[]) {
  const tenant = await Tenant.in(longhaul);
  const { job, token } = await tenant.running();
  const shown = [];
  for (const report of reports) {
    await tenant.report(token, report);
    const { progress, version } = await tenant.read(job.id);
    shown.push({ progress, version });
  }
  return shown;
}

describe('a percentage', () => {
  test('never goes back', async () => {
    const shown = await shownAfter([10, 40, 39.9, 0, 41].map((percentage) => ({ percentage })));
    expect(shown.map(({ progress }) => progress?.percentage)).toEqual([10, 40, 40, 40, 41]);
  });

  test('never goes back, also when it could not be told in between', async () => {
    const shown = await shownAfter([60, null, 40, 61].map((percentage) => ({ percentage })));
    expect(shown.map(({ progress }) => progress?.percentage)).toEqual([60, undefined, 60, 61]);
  });

  test('never goes back whatever is reported, in one batch or in several', async () => {
    const percentages = fc.array(fc.option(fc.integer({ min: 0, max: 100 })), { minLength: 1, maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(fc.array(percentages, { minLength: 1, maxLength: 5 }), async (batches) => {
        const tenant = await Tenant.in(longhaul);
        const { job, token } = await tenant.running();
        let highest = 0;
        for (const batch of batches) {
          await Promise.all(batch.map((percentage) => tenant.report(token, { percentage })));
          const shown = (await tenant.read(job.id)).progress?.percentage;
          if (shown == null) continue;
          expect(shown).toBeGreaterThanOrEqual(highest);
          highest = shown;
        }
      }),
      { numRuns: 15 },
    );
  });

  test.each([-1, 100.1, Number.NaN, Number.POSITIVE_INFINITY])('of %d is refused', async (percentage) => {
    const tenant = await Tenant.in(longhaul);
    const { job, token } = await tenant.running();
    const { issues } = await refusal(ValidationError, tenant.report(token, { percentage }));
    expect(issues).toMatchObject([{ path: ['percentage'] }]);
    expect(await tenant.read(job.id)).toEqual(job);
  });
});

test('what a report leaves out stays as it was, and null clears it', async () => {
  const shown = await shownAfter([
    { step: 'download', message: 'Fetching', percentage: 5 },
    { percentage: 6 },
    { message: null },
    { step: 'render', message: 'Rendering' },
    { step: null, message: null, percentage: null },
  ]);
  expect(shown.map(({ progress }) => progress)).toEqual([
    { step: 'download', message: 'Fetching', percentage: 5 },
    { step: 'download', message: 'Fetching', percentage: 6 },
    { step: 'download', message: null, percentage: 6 },
    { step: 'render', message: 'Rendering', percentage: 6 },
    null,
  ]);
});

test('the version grows with each visible change, and with nothing else', async () => {
  const shown = await shownAfter([
    { percentage: 5 },
    { percentage: 5 },
    { percentage: 4 },
    {},
    { step: 'render' },
    { step: 'render', percentage: 5 },
    { percentage: 6 },
  ]);
  expect(shown.map(({ version }) => version)).toEqual([3, 3, 3, 3, 4, 4, 5]);
});

test('reports of one attempt that meet become one', async () => {
  const tenant = await Tenant.in(longhaul);
  const { job, token } = await tenant.running();
  const ends = await Promise.all([
    tenant.report(token, { step: 'download', percentage: 30 }),
    tenant.report(token, { message: 'Fetching' }),
    tenant.report(token, { step: 'render', percentage: 20 }),
    tenant.report(token),
  ]);
  expect(new Set(ends.map(Number)).size).toBe(1);
  expect(await tenant.read(job.id)).toMatchObject({
    progress: { step: 'render', message: 'Fetching', percentage: 30 },
    version: job.version + 1,
  });
});

test('a report that comes alone is written at once, without a timer', async () => {
  const tenant = await Tenant.in(longhaul);
  const { job, token } = await tenant.running();
  const { queue, statements } = counted();
  for (const percentage of [10, 20]) {
    const before = statements();
    const written = reportProgress(queue, tenant.id, { token, percentage });
    // The turn of the event loop in which it waits for others of the same turn, and the next one.
    await nextTurn();
    await nextTurn();
    expect(statements()).toBe(before + 1);
    await written;
  }
  expect((await tenant.read(job.id)).progress?.percentage).toBe(20);
});

test('what comes while a statement is under way is gathered: far fewer statements than reports', async () => {
  const tenant = await Tenant.in(longhaul);
  await tenant.createAll(Array.from({ length: 50 }, () => ({})));
  const attempts = await tenant.claim({ limit: 50 });
  const { queue, statements } = counted();
  const rounds = 20;
  await Promise.all(
    attempts.map(async ({ token }) => {
      for (let round = 1; round <= rounds; round += 1) await reportProgress(queue, tenant.id, { token, percentage: round });
    }),
  );
  expect(statements()).toBeGreaterThanOrEqual(rounds);
  expect(statements()).toBeLessThan((attempts.length * rounds) / 10);
  for (const { job } of attempts) expect(await tenant.read(job.id)).toMatchObject({ progress: { percentage: rounds }, version: rounds + 2 });
});

test('reports of many jobs at once each reach their own', async () => {
  const tenant = await Tenant.in(longhaul);
  await tenant.createAll(Array.from({ length: 100 }, () => ({})));
  const attempts = await tenant.claim({ limit: 100 });
  const [lost] = attempts;
  if (lost === undefined) throw new Error('nothing was claimed');
  await tenant.cancel(lost.job.id);

  const results = await Promise.allSettled(
    attempts.map(({ token }, index) => tenant.report(token, { percentage: index, step: `step ${index}` })),
  );

  expect(results.flatMap(({ status }, index) => (status === 'rejected' ? [index] : []))).toEqual([0]);
  for (const [index, { job }] of attempts.entries()) {
    const progress = index === 0 ? null : { step: `step ${index}`, message: null, percentage: index };
    expect((await tenant.read(job.id)).progress).toEqual(progress);
  }
});

test('a new attempt starts anew', async () => {
  const tenant = await Tenant.in(longhaul);
  const { job, token } = await tenant.running();
  await tenant.report(token, { step: 'render', percentage: 80 });
  expect(await tenant.fail(token)).toMatchObject({ progress: { step: 'render', percentage: 80 } });
  await becomeDue(longhaul, job.id);
  const second = await tenant.start(job);
  expect(second.job.progress).toBeNull();
  await tenant.report(second.token, { percentage: 10 });
  expect(await tenant.read(job.id)).toMatchObject({ progress: { step: null, message: null, percentage: 10 } });
});

test('the last report stays with a job that has completed', async () => {
  const tenant = await Tenant.in(longhaul);
  const { token } = await tenant.running();
  await tenant.report(token, { percentage: 80 });
  expect(await tenant.complete(token)).toMatchObject({ progress: { percentage: 80 } });
});

// The embedded database has one connection: there, no transaction can hold a row while a report comes.
test.runIf(backend === 'servers')('a report that had to wait never overwrites one that came after it', async () => {
  const tenant = await Tenant.in(longhaul);
  const { job, token } = await tenant.running();
  const context = contextOf(longhaul);
  const reports: Promise<Date>[] = [];
  const tried = Array.from({ length: 3 }, () => Promise.withResolvers<void>());
  let batches = 0;
  const watching = observed(context.database, ({ sql }) => {
    if (sql.includes('SKIP LOCKED')) tried[batches++]?.resolve();
  });
  const queue = new ReportQueue({ ...context, database: watching });
  await context.database.transaction(async (transaction) => {
    await transaction.query('SELECT FROM job WHERE id = $1 FOR UPDATE', [job.id]);
    for (const [index, { promise }] of tried.entries()) {
      reports.push(reportProgress(queue, tenant.id, { token, step: `step ${index}`, percentage: 10 * index }));
      await promise;
    }
  });
  expect(new Set((await Promise.all(reports)).map(Number)).size).toBe(1);
  expect(await tenant.read(job.id)).toMatchObject({ progress: { step: 'step 2', percentage: 20 }, version: job.version + 1 });
  await queue.drain();
});

test.runIf(backend === 'servers')('a report for a row that somebody holds is tried again, and delays no other', async () => {
  const tenant = await Tenant.in(longhaul);
  const [blocked, free] = [await tenant.running(), await tenant.running()];
  const context = contextOf(longhaul);
  let batches = 0;
  const triedTwice = Promise.withResolvers<void>();
  const watching = observed(context.database, ({ sql }) => {
    if (sql.includes('SKIP LOCKED') && ++batches === 2) triedTwice.resolve();
  });
  const queue = new ReportQueue({ ...context, database: watching });
  const report = (token: string) => reportProgress(queue, tenant.id, { token, percentage: 50 });

  let pending: Promise<Date> | undefined;
  await context.database.transaction(async (transaction) => {
    await transaction.query(mayIdle);
    await transaction.query('SELECT FROM job WHERE id = $1 FOR UPDATE', [blocked.job.id]);
    pending = report(blocked.token);
    await report(free.token);
    await triedTwice.promise;
    expect((await tenant.read(free.job.id)).progress?.percentage).toBe(50);
    expect((await tenant.read(blocked.job.id)).progress).toBeNull();
  });
  await pending;

  expect((await tenant.read(blocked.job.id)).progress?.percentage).toBe(50);
});
