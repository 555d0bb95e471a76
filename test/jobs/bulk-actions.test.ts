import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { Job } from '../../src/jobs/model/job.ts';
import { checkLedger } from '../../src/jobs/read/ledger-check.ts';
import { ask, request, rest, transports } from '../support/client.ts';
import { Tenant } from '../support/domain.ts';
import { eventually } from '../support/eventually.ts';
import { untilWaiting } from '../support/lock-waits.ts';
import { backend, type Longhaul, sharedLonghaul } from '../support/longhaul.ts';
import { deliveriesOf } from '../support/receiver.ts';
import {
  type ActionFragment,
  BulkActionsDocument,
  ReadBulkActionDocument,
  StartBulkActionDocument,
  type StartBulkActionInput,
  StopBulkActionDocument,
  WatchBulkActionDocument,
} from '../graphql/generated/graphql.ts';

let longhaul: Longhaul;
let tenant: Tenant;
let key: string;
beforeAll(async () => {
  longhaul = await sharedLonghaul();
});
afterAll(() => longhaul.stop());
beforeEach(() => newTenant());

async function newTenant(options: { credits?: number; concurrencyLimit?: number } = {}): Promise<void> {
  const workspace = await longhaul.workspace(options);
  tenant = Tenant.of(longhaul, workspace.id);
  key = await workspace.key();
}

async function start(input: StartBulkActionInput, as = key) {
  const { startBulkAction: result } = await ask(longhaul.url, as, StartBulkActionDocument, { input });
  if (result == null) throw new Error('the mutation answered nothing');
  return result;
}

async function begun(input: StartBulkActionInput): Promise<ActionFragment> {
  const result = await start(input);
  if (!('bulkAction' in result)) throw new Error(`it was refused: ${JSON.stringify(result)}`);
  return result.bulkAction;
}

async function read(id: string): Promise<ActionFragment> {
  const { node } = await ask(longhaul.url, key, ReadBulkActionDocument, { id });
  if (node == null || !isAction(node)) throw new Error('there is no such action');
  return node;
}

function isAction(node: object): node is ActionFragment {
  return 'seen' in node;
}

/** Starts an action, and returns it when it has ended. */
async function carriedOut(input: StartBulkActionInput): Promise<ActionFragment> {
  const { id } = await begun(input);
  return eventually(async () => {
    const action = await read(id);
    expect(action.status).not.toBe('RUNNING');
    return action;
  });
}

/** One job of each kind, in this order. */
async function jobsOfEachStatus(): Promise<Record<'pending' | 'running' | 'completed' | 'failed' | 'cancelled', Job>> {
  const pending = await tenant.create({ tags: ['all'] });
  const running = (await tenant.running({ tags: ['all'] })).job;
  const completed = await tenant.complete((await tenant.running({ tags: ['all'] })).token);
  const failed = await tenant.fail((await tenant.running({ tags: ['all', 'broken'] })).token, { retryable: false });
  const cancelled = await tenant.cancel((await tenant.create({ tags: ['all'] })).id);
  return { pending, running, completed, failed, cancelled };
}

async function expectSoundLedger(): Promise<void> {
  const { faults } = await checkLedger(longhaul.services.database.reads);
  expect(faults.filter(({ workspaceId }) => workspaceId === tenant.id)).toEqual([]);
}

test('CANCEL ends what has not ended, as cancelJob does, and counts what had', async () => {
  await newTenant({ concurrencyLimit: 2 });
  const { pending, running } = await jobsOfEachStatus();
  const noticed = await tenant.create({ tags: ['all'], webhookUrl: 'https://hooks.invalid/a' });
  const action = await carriedOut({ kind: 'CANCEL', filter: { tags: ['all'] }, reason: 'no longer needed' });
  expect(action).toMatchObject({
    status: 'COMPLETED',
    filter: { tags: ['all'] },
    reason: 'no longer needed',
    error: null,
    total: { value: 6, exact: true },
    seen: 6,
    done: 3,
    refusals: [{ code: 'ALREADY_FINISHED', count: 3 }],
  });
  expect(action.finishedAt).not.toBeNull();
  for (const { id } of [pending, running, noticed]) {
    expect(await tenant.read(id)).toMatchObject({ status: 'CANCELLED', cancelReason: 'no longer needed', creditsRefunded: 1 });
  }
  expect(await deliveriesOf(longhaul, key, noticed.id)).toHaveLength(1);
  // All but the completed job were refunded, and both slots are free again.
  expect(await tenant.balance()).toBe(1_000_000 - 1);
  await tenant.running();
  await tenant.running();
  await expectSoundLedger();
});

test('RETRY creates a job from each that failed or was cancelled, once, and charges for it', async () => {
  const { failed, cancelled } = await jobsOfEachStatus();
  const before = await tenant.balance();
  const action = await carriedOut({ kind: 'RETRY', everything: true });
  expect(action).toMatchObject({ status: 'COMPLETED', filter: {}, seen: 5, done: 2, refusals: [{ code: 'NOT_RETRYABLE', count: 3 }] });
  const retries = await longhaul.services.jobs.list(tenant.id, {}, { above: cancelled.id, below: null, direction: 'ASC', limit: 10 });
  expect(retries.map(({ retryOfId, status, input, tags }) => ({ retryOfId, status, input, tags }))).toEqual(
    [failed, cancelled].map(({ id, input, tags }) => ({ retryOfId: id, status: 'PENDING', input, tags })),
  );
  expect(await tenant.balance()).toBe(before - 2);
  await expectSoundLedger();
});

test('RETRY goes as far as the credits do, and says why it failed', async () => {
  await newTenant({ credits: 5 });
  const jobs = await tenant.createAll(Array.from({ length: 5 }, () => ({})));
  for (const { id } of jobs.slice(0, 3)) await tenant.cancel(id);
  await tenant.create();
  // Two credits are left for three retries.
  const action = await carriedOut({ kind: 'RETRY', filter: { statuses: ['CANCELLED'] } });
  expect(action).toMatchObject({ status: 'FAILED', error: { code: 'INSUFFICIENT_CREDITS' }, total: { value: 3 }, seen: 2, done: 2, refusals: [] });
  expect(await tenant.balance()).toBe(0);
  await expectSoundLedger();
});

test('DELETE removes what has ended with all that hangs on it, and leaves the ledger and the counts', async () => {
  const { pending, running } = await jobsOfEachStatus();
  const logged = await tenant.running({ tags: ['all'], webhookUrl: 'https://hooks.invalid/a' });
  await tenant.log(logged.token, 'one', 'two');
  await tenant.cancel(logged.job.id);
  const ledger = await tenant.ledger();
  const counts = await longhaul.services.jobs.counting.byStatus(tenant.id);
  const action = await carriedOut({ kind: 'DELETE', filter: { tags: ['all'] } });
  expect(action).toMatchObject({ status: 'COMPLETED', seen: 6, done: 4, refusals: [{ code: 'NOT_FINISHED', count: 2 }] });
  const left = await longhaul.services.jobs.list(tenant.id, {}, { above: null, below: null, direction: 'ASC', limit: 10 });
  expect(left.map(({ id }) => id)).toEqual([pending.id, running.id]);
  for (const table of ['job_attempt', 'webhook_delivery', 'job_log_counter']) expect(await tenant.count(`FROM ${table} WHERE workspace_id = $1`)).toBe(0);
  expect(await tenant.count(`FROM job_log WHERE $1::uuid IS NOT NULL AND job_id = '${logged.job.id}'`)).toBe(0);
  expect(await tenant.count('FROM job_tag WHERE workspace_id = $1')).toBe(2);
  expect(await tenant.ledger()).toEqual(ledger);
  // What was counted goes with the next housekeeping.
  await longhaul.sweeper.rollUp();
  await longhaul.sweeper.keepHouse();
  await longhaul.sweeper.keepHouse();
  expect(await tenant.count('FROM job_change WHERE workspace_id = $1 AND NOT EXISTS (SELECT FROM job WHERE job.id = job_id)')).toBe(0);
  expect(await tenant.count('FROM job_change WHERE workspace_id = $1')).toBe(3);
  expect(await longhaul.services.jobs.counting.byStatus(tenant.id)).toEqual(counts);
  await expectSoundLedger();
});

test('more jobs than one step takes are each acted on once, and those created later not at all', async () => {
  await tenant.createAll(Array.from({ length: 1_000 }, () => ({})));
  await tenant.createAll(Array.from({ length: 201 }, () => ({})));
  const { id } = await begun({ kind: 'CANCEL', everything: true });
  const later = await tenant.create();
  const action = await eventually(async () => {
    const now = await read(id);
    expect(now.status).toBe('COMPLETED');
    return now;
  });
  expect(action).toMatchObject({ total: { value: 1_201, exact: true }, seen: 1_201, done: 1_201, refusals: [] });
  expect((await tenant.read(later.id)).status).toBe('PENDING');
  expect(await tenant.balance()).toBe(1_000_000 - 1);
  await expectSoundLedger();
});

test('a filter by ids takes every form of id, and refuses one that names no job of the workspace', async () => {
  const job = await tenant.create();
  const other = await Tenant.in(longhaul);
  const foreign = await other.create();
  const refused = await start({ kind: 'CANCEL', filter: { ids: [job.id, foreign.id, 'nonsense'] } });
  expect(refused).toEqual({
    __typename: 'ValidationError',
    code: 'VALIDATION_ERROR',
    issues: ['1', '2'].map((index) => ({ path: ['filter', 'ids', index], message: 'names no job of this workspace' })),
  });
  expect(await start({ kind: 'CANCEL', filter: { scheduleIds: [`schedule_${foreign.id}`] } })).toMatchObject({
    issues: [{ path: ['filter', 'scheduleIds', '0'], message: 'names no schedule of this workspace' }],
  });
  expect((await tenant.read(job.id)).status).toBe('PENDING');
  expect((await other.read(foreign.id)).status).toBe('PENDING');
  expect(await carriedOut({ kind: 'CANCEL', filter: { ids: [`job_${job.id}`] } })).toMatchObject({ done: 1, total: { value: 1 } });
});

test.each<[string, StartBulkActionInput, string[]]>([
  ['nothing', { kind: 'CANCEL' }, ['everything']],
  ['an empty filter', { kind: 'DELETE', filter: {} }, ['everything']],
  ['a filter of nulls and no tags', { kind: 'DELETE', filter: { statuses: null, tags: [] } }, ['everything']],
  ['everything as null', { kind: 'DELETE', everything: null }, ['everything']],
  ['a reason that is too long', { kind: 'CANCEL', everything: true, reason: 'x'.repeat(1_001) }, ['reason']],
  ['an empty key', { kind: 'CANCEL', everything: true, idempotencyKey: '' }, ['idempotencyKey']],
  ['too many tags', { kind: 'CANCEL', filter: { tags: Array.from({ length: 21 }, (_, n) => `${n}`) } }, ['filter', 'tags']],
  ['too many ids', { kind: 'CANCEL', filter: { ids: Array.from({ length: 101 }, () => 'x') } }, ['filter', 'ids']],
])('%s is refused, and nothing is done', async (_name, input, path) => {
  const job = await tenant.create();
  expect(await start(input)).toMatchObject({ __typename: 'ValidationError', issues: [{ path }] });
  expect((await tenant.read(job.id)).status).toBe('PENDING');
  expect(await tenant.count('FROM bulk_action WHERE workspace_id = $1')).toBe(0);
});

test('the same key and request are one action, and with another request the key is refused', async () => {
  await tenant.create();
  const input: StartBulkActionInput = { kind: 'CANCEL', everything: true, idempotencyKey: 'a' };
  const [first, again] = await Promise.all([begun(input), begun(input)]);
  expect(again.id).toBe(first.id);
  // What is null does not narrow, as what is left out.
  expect((await begun({ ...input, filter: { tags: null, types: null } })).id).toBe(first.id);
  expect(await start({ ...input, kind: 'DELETE' })).toEqual({ __typename: 'IdempotencyConflictError', code: 'IDEMPOTENCY_CONFLICT', bulkActionId: first.id });
  // A day later it is free.
  const { database } = longhaul.services;
  await database.hot.query(`UPDATE bulk_action SET id = (left(replace('0190' || substr(id::text, 5), '-', ''), 32))::uuid WHERE workspace_id = $1`, [tenant.id]);
  const { id } = await begun({ ...input, kind: 'DELETE' });
  expect(id).not.toBe(first.id);
});

test('a call that comes again with its key gets its answer again, although the jobs that it names are gone', async () => {
  const { id: job } = await tenant.cancel((await tenant.create()).id);
  const input: StartBulkActionInput = { kind: 'DELETE', filter: { ids: [job] }, idempotencyKey: 'again' };
  const { id } = await carriedOut(input);
  expect((await begun(input)).id).toBe(id);
});

// The embedded database has one connection: there, nothing comes between.
test.runIf(backend === 'servers')('a job that is handed back while the action waits for it is none of those that run any more', async () => {
  const { database } = longhaul.services;
  const [{ job, token }, other] = [await tenant.running(), await tenant.running()];
  const { released, action } = await database.transaction(async (transaction) => {
    await transaction.query('SELECT FROM job WHERE id = $1 FOR UPDATE', [job.id]);
    const releasing = tenant.release(token);
    await untilWaiting(transaction, 1);
    const acting = carriedOut({ kind: 'CANCEL', filter: { statuses: ['RUNNING'] } });
    await untilWaiting(transaction, 2);
    // In an object: they end once the row is free, so the transaction must not wait for them.
    return { released: releasing, action: acting };
  });
  expect(await action).toMatchObject({ status: 'COMPLETED', total: { value: 2 }, seen: 1, done: 1, refusals: [] });
  await released;
  expect(await tenant.read(job.id)).toMatchObject({ status: 'PENDING' });
  expect(await tenant.read(other.job.id)).toMatchObject({ status: 'CANCELLED' });
});

test('an action can be stopped: what was done stays done, and nothing more is', async () => {
  await tenant.create();
  const { id } = await begun({ kind: 'CANCEL', everything: true });
  const stop = async (action: string, as = key) => (await ask(longhaul.url, as, StopBulkActionDocument, { id: action })).stopBulkAction;
  const first = await stop(id);
  const again = await stop(id);
  expect(first).toMatchObject({ __typename: 'StopBulkActionPayload' });
  const audited = await longhaul.services.database.hot.query(
    `SELECT action, details, actor IS NOT NULL AS by FROM audit_entry WHERE workspace_id = $1 AND starts_with(action, 'bulk_action.') ORDER BY id`,
    [tenant.id],
  );
  expect(audited[0]).toEqual({ action: 'bulk_action.start', details: { kind: 'CANCEL', filter: {}, reason: null }, by: true });
  // It may have been faster than the call that was to stop it.
  const { status } = await read(id);
  expect(audited.slice(1)).toEqual(status === 'STOPPED' ? [{ action: 'bulk_action.stop', details: {}, by: true }] : []);
  expect(again).toEqual(first);
  const foreign = await (await longhaul.workspace()).key();
  for (const refused of [await stop(id, foreign), await stop('bulk_x')]) expect(refused).toMatchObject({ __typename: 'NotFoundError' });
});

test('the list has the newest first, and other workspaces see none of it', async () => {
  const first = await begun({ kind: 'CANCEL', everything: true });
  const second = await begun({ kind: 'DELETE', everything: true });
  const list = async (as: string, size: number) => (await ask(longhaul.url, as, BulkActionsDocument, { first: size })).workspace?.bulkActions;
  expect(await list(key, 5)).toEqual({ edges: [{ node: { id: second.id } }, { node: { id: first.id } }], pageInfo: { hasNextPage: false } });
  expect(await list(key, 1)).toMatchObject({ pageInfo: { hasNextPage: true } });
  const foreign = await (await longhaul.workspace()).key();
  expect((await list(foreign, 5))?.edges).toEqual([]);
  expect((await ask(longhaul.url, foreign, ReadBulkActionDocument, { id: first.id })).node).toBeNull();
});

test.each(transports)('a watcher over $over sees how it goes, and the end', async ({ watch }) => {
  await tenant.createAll(Array.from({ length: 600 }, () => ({})));
  const { id } = await begun({ kind: 'CANCEL', everything: true });
  const events = (await rest(watch(longhaul.url, key, WatchBulkActionDocument, { id }))).map(({ bulkActionProgress }) => bulkActionProgress);
  expect(events.at(-1)).toEqual({ status: 'COMPLETED', seen: 600 });
  expect(events.map(({ seen }) => seen)).toEqual(events.map(({ seen }) => seen).toSorted((a, b) => a - b));
});

test('no more than ten run at the same time in a workspace', async () => {
  const { database } = longhaul.services;
  for (let n = 0; n < 10; n += 1) await begun({ kind: 'CANCEL', everything: true });
  await expect.poll(() => tenant.count(`FROM bulk_action WHERE workspace_id = $1 AND status = 'RUNNING'`)).toBe(0);
  // As if they ran, and their next steps were not due for a long time.
  await database.hot.query(`UPDATE bulk_action SET status = 'RUNNING', due_at = now() + interval '1 day' WHERE workspace_id = $1`, [tenant.id]);
  const { errors } = await request(longhaul.url, key, StartBulkActionDocument, { input: { kind: 'CANCEL', everything: true } });
  expect(errors).toMatchObject([{ extensions: { code: 'RATE_LIMITED' } }]);
  await database.hot.query(`UPDATE bulk_action SET status = 'STOPPED' WHERE workspace_id = $1`, [tenant.id]);
});
