import { afterAll, beforeAll, expect, test } from 'vitest';
import { ValidationError } from '../../src/errors.ts';
import type { Job } from '../../src/jobs/model/job.ts';
import { occur as occurIn } from '../../src/jobs/schedules/occur.ts';
import type { Schedule } from '../../src/jobs/schedules/schedule.ts';
import { byNobody } from '../../src/workspaces/audit/record.ts';
import { contextOf, refusal, Tenant, usualRequest } from '../support/domain.ts';
import { untilWaiting } from '../support/lock-waits.ts';
import { type Longhaul, startLonghaul } from '../support/longhaul.ts';
import { becomeDue, scheduleLoop } from '../support/schedules.ts';

/*
 * Who waits for a schedule has a snapshot from before the wait, and whoever held the schedule may have created a job. The
 * embedded database has one connection: there, nobody waits.
 */
let longhaul: Longhaul;
beforeAll(async () => {
  longhaul = await startLonghaul();
  // Occurrences are those that these tests make.
  await scheduleLoop(longhaul).stop();
});
afterAll(() => longhaul.stop());

function create(tenant: Tenant): Promise<Schedule> {
  return longhaul.services.jobs.schedules.create(tenant.id, { ...usualRequest, name: 'yearly', cron: '0 0 1 1 *', overlap: 'SKIP' }, byNobody);
}

function trigger(tenant: Tenant, { id }: Schedule): Promise<Job> {
  return longhaul.services.jobs.schedules.trigger(tenant.id, id, byNobody);
}

/** Carries out what is due in the workspace, and returns how many jobs that made. */
function occur(tenant: Tenant, before: readonly string[] = [], after: readonly string[] = []): Promise<number> {
  return longhaul.services.database.transaction(async (transaction) => {
    for (const statement of before) await transaction.query(statement);
    const { jobs } = await occurIn(contextOf(longhaul), transaction, tenant.id, null);
    for (const statement of after) await transaction.query(statement);
    return jobs.length;
  });
}

const openJobs = (tenant: Tenant) => tenant.count(`FROM job WHERE workspace_id = $1 AND status = 'PENDING'`);

test('of two triggers that waited for the schedule, the second is refused: the first has created its job', async () => {
  const { database } = longhaul.services;
  const tenant = await Tenant.in(longhaul);
  const schedule = await create(tenant);
  const { both } = await database.transaction(async (transaction) => {
    await transaction.query('SELECT FROM schedule WHERE id = $1 FOR UPDATE', [schedule.id]);
    const triggers = [trigger(tenant, schedule), trigger(tenant, schedule)];
    await untilWaiting(transaction, 2);
    // In an object: they end once the row is free, so the transaction must not wait for them.
    return { both: Promise.allSettled(triggers) };
  });
  const outcomes = await both;
  expect(outcomes.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
  const refused = outcomes.find(({ status }) => status === 'rejected');
  expect(refused).toMatchObject({ reason: { code: 'VALIDATION_ERROR', issues: [{ path: ['id'], message: expect.stringContaining('has not ended') }] } });
  expect(await openJobs(tenant)).toBe(1);
  expect(await tenant.balance()).toBe(1_000_000 - 1);
});

test('a trigger that waited for an occurrence is refused: that has created its job', async () => {
  const { database } = longhaul.services;
  const tenant = await Tenant.in(longhaul);
  const schedule = await create(tenant);
  await becomeDue(longhaul, schedule);
  const { both } = await database.transaction(async (transaction) => {
    await transaction.query('SELECT FROM workspace WHERE id = $1 FOR UPDATE', [tenant.id]);
    // It has the schedule, and waits with its job for the balance.
    const occurring = occur(tenant);
    await untilWaiting(transaction, 1);
    const triggering = refusal(ValidationError, trigger(tenant, schedule));
    await untilWaiting(transaction, 2);
    return { both: Promise.all([occurring, triggering]) };
  });
  expect(await both).toMatchObject([1, { issues: [{ path: ['id'] }] }]);
  expect(await openJobs(tenant)).toBe(1);
});

test('an occurrence that began to look before a trigger, and took the schedule after it, is skipped', async () => {
  const { database } = longhaul.services;
  const tenant = await Tenant.in(longhaul);
  const schedule = await create(tenant);
  await becomeDue(longhaul, schedule);
  // It takes no schedule that others hold. So its statement waits where it asks what is due: before it takes any.
  const waits = [
    'CREATE SCHEMA waiting',
    `CREATE FUNCTION waiting.now() RETURNS timestamptz LANGUAGE plpgsql AS
     'BEGIN PERFORM pg_catalog.pg_advisory_xact_lock(1, 1); RETURN pg_catalog.now(); END'`,
    'SET LOCAL search_path = waiting, public, pg_catalog',
  ];
  const late = await database.transaction(async (transaction) => {
    await transaction.query('SELECT pg_advisory_xact_lock(1, 1)');
    const occurring = occur(tenant, waits, ['SET LOCAL search_path = public', 'DROP SCHEMA waiting CASCADE']);
    await untilWaiting(transaction, 1);
    await trigger(tenant, schedule);
    return { occurring };
  });
  expect(await late.occurring).toBe(0);
  expect(await openJobs(tenant)).toBe(1);
  const [after] = await longhaul.services.jobs.schedules.find(tenant.id, [schedule.id]);
  expect(after).toMatchObject({ lastError: { code: 'OVERLAP' } });
});
