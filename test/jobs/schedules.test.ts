import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { InsufficientCreditsError, NotFoundError, QueueFullError, ValidationError } from '../../src/errors.ts';
import type { Schedule } from '../../src/jobs/schedules/schedule.ts';
import type { ScheduleRequest } from '../../src/jobs/schedules/schedule-request.ts';
import type { ScheduleUpdate } from '../../src/jobs/schedules/update-schedule.ts';
import { byNobody } from '../../src/workspaces/audit/record.ts';
import { grantCredits } from '../../src/workspaces/grant-credits.ts';
import { refusal, Tenant, usualRequest } from '../support/domain.ts';
import { type Longhaul, sharedLonghaul, startLonghaul } from '../support/longhaul.ts';
import { becomeDue, occur } from '../support/schedules.ts';

let longhaul: Longhaul;
beforeAll(async () => {
  longhaul = await sharedLonghaul();
});
afterAll(() => longhaul.stop());

/** So rare that it comes only when a test moves it. */
const yearly = { ...usualRequest, name: 'yearly', cron: '0 0 1 1 *' };

function create(tenant: Tenant, asked: Partial<ScheduleRequest> = {}): Promise<Schedule> {
  return longhaul.services.jobs.schedules.create(tenant.id, { ...yearly, ...asked }, byNobody);
}

function update(tenant: Tenant, { id }: Schedule, asked: ScheduleUpdate): Promise<Schedule> {
  return longhaul.services.jobs.schedules.update(tenant.id, id, asked, byNobody);
}

function trigger(tenant: Tenant, { id }: Schedule) {
  return longhaul.services.jobs.schedules.trigger(tenant.id, id, byNobody);
}

async function read(tenant: Tenant, { id }: Schedule): Promise<Schedule> {
  const [schedule] = await longhaul.services.jobs.schedules.find(tenant.id, [id]);
  if (schedule === undefined) throw new Error('The schedule is not there.');
  return schedule;
}

/** An occurrence of this year or another. */
const newYear = (years: number) => new Date(Date.UTC(new Date().getUTCFullYear() + years, 0, 1));

const jobsOf = (tenant: Tenant, { id }: Schedule) =>
  longhaul.services.jobs.list(tenant.id, { scheduleIds: [id] }, { above: null, below: null, direction: 'ASC', limit: 100 });

const refusals = (tenant: Tenant) =>
  longhaul.services.database.reads.query<{ outcome: string }>(
    `SELECT outcome FROM audit_entry WHERE workspace_id = $1 AND action = 'schedule.occur' ORDER BY id`, [tenant.id]);

describe('an occurrence', () => {
  test('creates one job, as the schedule says, and the next one stands', async () => {
    const tenant = await Tenant.in(longhaul);
    const asked = { tags: ['nightly'], priority: 3, maxAttempts: 2, webhookUrl: 'https://hooks.invalid/a' };
    const schedule = await create(tenant, { ...asked, overlap: 'ALLOW' });
    expect(schedule.nextRunAt?.getTime()).toBeGreaterThan(Date.now() - 5_000);
    const due = await becomeDue(longhaul, schedule);
    await occur(longhaul);
    await occur(longhaul);
    const [job, ...others] = await jobsOf(tenant, schedule);
    expect(others).toEqual([]);
    expect(job).toMatchObject({ ...asked, scheduleId: schedule.id, input: usualRequest.input, status: 'PENDING', creditsCharged: 1, dialect: 'NATIVE' });
    const after = await read(tenant, schedule);
    expect(after.nextRunAt?.getTime()).toBeGreaterThan(due.getTime());
    expect(after).toMatchObject({ lastRunAt: due, lastError: null });
    expect(await tenant.claim()).toHaveLength(1);
  });

  test('that passed while no process was there is made up for, of several only the last', async () => {
    const tenant = await Tenant.in(longhaul);
    const schedule = await create(tenant);
    await becomeDue(longhaul, schedule, newYear(-3));
    await occur(longhaul);
    expect(await jobsOf(tenant, schedule)).toHaveLength(1);
    expect(await read(tenant, schedule)).toMatchObject({ lastRunAt: newYear(0), nextRunAt: newYear(1) });
  });

  test('is skipped while the last job has not ended, unless that is allowed', async () => {
    const tenant = await Tenant.in(longhaul);
    const schedule = await create(tenant);
    await becomeDue(longhaul, schedule);
    await occur(longhaul);
    const [job] = await jobsOf(tenant, schedule);
    const due = await becomeDue(longhaul, schedule);
    await occur(longhaul);
    expect(await jobsOf(tenant, schedule)).toHaveLength(1);
    expect(await read(tenant, schedule)).toMatchObject({ lastRunAt: due, lastError: { code: 'OVERLAP' } });
    // That is no refusal.
    expect(await refusals(tenant)).toEqual([]);
    await tenant.cancel(job?.id ?? '');
    await becomeDue(longhaul, schedule);
    await occur(longhaul);
    expect(await jobsOf(tenant, schedule)).toHaveLength(2);
    expect(await read(tenant, schedule)).toMatchObject({ lastError: null });
    await update(tenant, schedule, { overlap: 'ALLOW' });
    await becomeDue(longhaul, schedule);
    await occur(longhaul);
    expect(await jobsOf(tenant, schedule)).toHaveLength(3);
  });

  test('that is refused says why, in the audit once, and the next one comes', async () => {
    const tenant = await Tenant.in(longhaul, { credits: 2 });
    const schedules = await Promise.all(['a', 'b', 'c'].map((name) => create(tenant, { name, overlap: 'ALLOW' })));
    const all = async () => {
      for (const schedule of schedules) await becomeDue(longhaul, schedule);
      await occur(longhaul);
      return Promise.all(schedules.map(async (schedule) => (await read(tenant, schedule)).lastError?.code ?? null));
    };
    expect((await all()).toSorted()).toEqual(['INSUFFICIENT_CREDITS', null, null]);
    expect(await all()).toEqual(Array(3).fill('INSUFFICIENT_CREDITS'));
    expect(await all()).toEqual(Array(3).fill('INSUFFICIENT_CREDITS'));
    expect(await refusals(tenant)).toEqual(Array.from({ length: 3 }, () => ({ outcome: 'INSUFFICIENT_CREDITS' })));
    await grantCredits(longhaul.services.database, { workspaceId: tenant.id, amount: 3 });
    expect(await all()).toEqual([null, null, null]);
    expect(await tenant.count('FROM job WHERE workspace_id = $1')).toBe(5);
    expect(await tenant.balance()).toBe(0);
    expect(await all()).toEqual(Array(3).fill('INSUFFICIENT_CREDITS'));
    expect(await refusals(tenant)).toHaveLength(6);
  });

  test('of a type that is gone, or whose schema changed, is refused; the schedule can still be paused', async () => {
    const tenant = await Tenant.in(longhaul);
    const schedule = await create(tenant);
    await longhaul.services.database.reads.query(`UPDATE schedule SET type = 'gone' WHERE id = $1`, [schedule.id]);
    await becomeDue(longhaul, schedule);
    await occur(longhaul);
    expect(await read(tenant, schedule)).toMatchObject({ lastError: { code: 'VALIDATION_ERROR', message: expect.stringContaining('Unknown job type "gone"') } });
    expect(await update(tenant, schedule, { paused: true })).toMatchObject({ nextRunAt: null });
    await longhaul.services.database.reads.query(`UPDATE schedule SET type = $2, input = '{}' WHERE id = $1`, [schedule.id, usualRequest.type]);
    await update(tenant, schedule, { paused: false });
    await becomeDue(longhaul, schedule);
    await occur(longhaul);
    expect(await read(tenant, schedule)).toMatchObject({ lastError: { code: 'VALIDATION_ERROR', message: expect.stringContaining('input.sourceUrl') } });
    expect(await refusal(ValidationError, trigger(tenant, schedule))).toMatchObject({ issues: [{ path: ['input', 'sourceUrl'] }] });
  });

  test('in a workspace whose schedules fail keeps no other workspace waiting', async () => {
    const [broken, tenant] = [await Tenant.in(longhaul), await Tenant.in(longhaul)];
    const schedules = [await create(broken), await create(tenant)];
    await longhaul.services.database.reads.query(`UPDATE schedule SET time_zone = 'Mars/Olympus' WHERE id = $1`, [schedules[0]?.id]);
    for (const schedule of schedules) await becomeDue(longhaul, schedule);
    await occur(longhaul);
    expect(await Promise.all(schedules.map((schedule) => jobsOf(schedule === schedules[0] ? broken : tenant, schedule)))).toMatchObject([[], [{}]]);
  });
});

describe('the queue', () => {
  let narrow: Longhaul;
  beforeAll(async () => {
    narrow = await startLonghaul({ MAX_QUEUE_LENGTH: '2' });
  });
  afterAll(() => narrow.stop());

  test('that is full refuses occurrences and triggers; those that still fit come', async () => {
    const tenant = await Tenant.in(narrow);
    const { jobs } = narrow.services;
    const make = (name: string) => jobs.schedules.create(tenant.id, { ...yearly, name, overlap: 'ALLOW' }, byNobody);
    const schedules = [await make('a'), await make('b'), await make('c')];
    const all = async () => {
      for (const schedule of schedules) await becomeDue(narrow, schedule);
      await occur(narrow);
      const found = await jobs.schedules.find(tenant.id, schedules.map(({ id }) => id));
      return found.map(({ lastError }) => lastError?.code ?? null).toSorted();
    };
    expect(await all()).toEqual(['QUEUE_FULL', null, null]);
    await refusal(QueueFullError, jobs.schedules.trigger(tenant.id, schedules[0]?.id ?? '', byNobody));
    for (const { token } of await tenant.claim({ limit: 2 })) await tenant.complete(token);
    expect(await all()).toEqual(['QUEUE_FULL', null, null]);
  });
});

describe('a schedule', () => {
  test('that is paused has no occurrences, and goes on from now without making up', async () => {
    const tenant = await Tenant.in(longhaul);
    const schedule = await create(tenant);
    await becomeDue(longhaul, schedule, new Date(Date.now() - 600_000));
    await update(tenant, schedule, { paused: true });
    // One, if the process has looked in between.
    const before = await jobsOf(tenant, schedule);
    await occur(longhaul);
    expect(await read(tenant, schedule)).toMatchObject({ paused: true, nextRunAt: null });
    const resumed = await update(tenant, schedule, { paused: false });
    expect(resumed.nextRunAt?.getTime()).toBeGreaterThan(Date.now() - 5_000);
    expect(await jobsOf(tenant, schedule)).toEqual(before);
  });

  test('keeps what is left out of a change, and takes null for the default', async () => {
    const tenant = await Tenant.in(longhaul);
    const asked = { tags: ['a'], priority: 2, maxAttempts: 4, webhookUrl: 'https://hooks.invalid/', concurrencyKey: 'k', concurrencyLimit: 2 };
    const schedule = await create(tenant, { ...asked, timeZone: 'Europe/Berlin', overlap: 'ALLOW', cron: '0 7 * * *' });
    const renamed = await update(tenant, schedule, { name: 'renamed' });
    expect(renamed).toMatchObject({ ...asked, name: 'renamed', cron: '0 7 * * *', nextRunAt: schedule.nextRunAt });
    const moved = await update(tenant, schedule, { cron: '0 8 * * *', input: { sourceUrl: 'https://example.com/b.mp4' } });
    expect(moved.nextRunAt).not.toEqual(schedule.nextRunAt);
    expect(moved.input).toEqual({ sourceUrl: 'https://example.com/b.mp4' });
    const cleared = await update(tenant, schedule, {
      tags: null, priority: null, maxAttempts: null, webhookUrl: null, concurrencyKey: null, concurrencyLimit: null, timeZone: null, overlap: null,
    });
    expect(cleared).toMatchObject({
      tags: [], priority: 0, maxAttempts: null, webhookUrl: null, concurrencyKey: null, concurrencyLimit: null, timeZone: 'UTC', overlap: 'SKIP',
    });
    for (const bad of [{ name: null }, { cron: null }, { paused: null }, { input: null }]) await refusal(ValidationError, update(tenant, schedule, bad));
  });

  test('is triggered at any time, as an occurrence would come, and its next one stays', async () => {
    const tenant = await Tenant.in(longhaul, { credits: 2 });
    const schedule = await create(tenant, { cron: '0 7 * * *' });
    const job = await trigger(tenant, schedule);
    expect(job).toMatchObject({ scheduleId: schedule.id, status: 'PENDING' });
    expect(await read(tenant, schedule)).toMatchObject({ nextRunAt: schedule.nextRunAt, lastRunAt: null, lastError: null });
    expect(await refusal(ValidationError, trigger(tenant, schedule))).toMatchObject({ issues: [{ path: ['id'] }] });
    await update(tenant, schedule, { overlap: 'ALLOW', paused: true });
    await trigger(tenant, schedule);
    expect(await refusal(InsufficientCreditsError, trigger(tenant, schedule))).toMatchObject({ required: 1, available: 0 });
    expect(await jobsOf(tenant, schedule)).toHaveLength(2);
  });

  test('that is triggered by many at once has one job while that has not ended, or one for each where overlap is ALLOW', async () => {
    const tenant = await Tenant.in(longhaul);
    const schedule = await create(tenant, { overlap: 'SKIP' });
    const twelve = async () => {
      const outcomes = await Promise.allSettled(Array.from({ length: 12 }, () => trigger(tenant, schedule)));
      return outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value.id] : []));
    };
    const [first, ...others] = await twelve();
    expect(others).toEqual([]);
    await tenant.cancel(first ?? '');
    expect(await twelve()).toHaveLength(1);
    await update(tenant, schedule, { overlap: 'ALLOW' });
    expect(new Set(await twelve()).size).toBe(12);
    expect(await jobsOf(tenant, schedule)).toHaveLength(14);
  });

  test('is gone when it is deleted; its jobs stay, and a retry of one is no job of it', async () => {
    const tenant = await Tenant.in(longhaul);
    const { jobs } = longhaul.services;
    const schedule = await create(tenant);
    const job = await trigger(tenant, schedule);
    await tenant.cancel(job.id);
    expect(await jobs.retry(tenant.id, job.id, null)).toMatchObject({ retryOfId: job.id, scheduleId: null });
    await jobs.schedules.delete(tenant.id, schedule.id, byNobody);
    expect(await jobs.schedules.find(tenant.id, [schedule.id])).toEqual([]);
    expect(await tenant.read(job.id)).toMatchObject({ scheduleId: schedule.id });
    expect(await jobsOf(tenant, schedule)).toHaveLength(1);
    await refusal(NotFoundError, jobs.schedules.delete(tenant.id, schedule.id, byNobody));
    await refusal(NotFoundError, trigger(tenant, schedule));
    await refusal(NotFoundError, update(tenant, schedule, { paused: true }));
  });

  test('of another workspace looks like one that does not exist', async () => {
    const [tenant, other] = [await Tenant.in(longhaul), await Tenant.in(longhaul)];
    const schedule = await create(tenant);
    await refusal(NotFoundError, update(other, schedule, { paused: true }));
    await refusal(NotFoundError, trigger(other, schedule));
    await refusal(NotFoundError, longhaul.services.jobs.schedules.delete(other.id, schedule.id, byNobody));
    expect(await jobsOf(other, schedule)).toEqual([]);
  });

  test('is refused with every fault in it', async () => {
    const tenant = await Tenant.in(longhaul);
    await create(tenant, { name: 'taken' });
    const faults = async (asked: Partial<ScheduleRequest>) => (await refusal(ValidationError, create(tenant, asked))).issues.map(({ path }) => path.join('.'));
    expect(await faults({ cron: 'every day', timeZone: 'Mars/Olympus', type: 'none' })).toEqual(['cron', 'timeZone', 'type']);
    expect(await faults({ name: 'taken' })).toEqual(['name']);
    expect(await faults({ name: '', overlap: null })).toEqual(['name']);
    expect(await faults({ concurrencyKey: 'k', concurrencyLimit: 0 })).toEqual(['concurrencyLimit']);
    expect(await faults({ input: {}, webhookUrl: 'ftp://a', priority: 1_000 })).toEqual(['priority', 'webhookUrl']);
    expect(await faults({ input: {} })).toEqual(['input.sourceUrl']);
    expect(await tenant.count('FROM schedule WHERE workspace_id = $1')).toBe(1);
  });
});
