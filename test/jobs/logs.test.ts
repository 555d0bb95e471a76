import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ValidationError } from '../../src/errors.ts';
import { appendLogs, type LogLine } from '../../src/jobs/logs/append.ts';
import { AppendQueue } from '../../src/jobs/logs/append-queue.ts';
import { deleteLogs } from '../../src/jobs/logs/delete.ts';
import { LeaseLostError } from '../../src/jobs/model/job-errors.ts';
import { ReportQueue } from '../../src/jobs/progress/report-queue.ts';
import { createApiKey } from '../../src/workspaces/create-api-key.ts';
import type { Scope } from '../../src/workspaces/scope.ts';
import { AppendLogsDocument, JobLogsDocument, type JobLogsQueryVariables } from '../graphql/generated/graphql.ts';
import { ask, request } from '../support/client.ts';
import { becomeDue, contextOf, endLease, refusal, Tenant, usualRequest } from '../support/domain.ts';
import { mayIdle } from '../support/lock-waits.ts';
import { backend, type Longhaul, sharedLonghaul } from '../support/longhaul.ts';
import { observed } from '../support/observed-database.ts';

let longhaul: Longhaul;
beforeAll(async () => {
  longhaul = await sharedLonghaul();
});
afterAll(() => longhaul.stop());

/** The queue of another process, and how many statements it has sent. */
function another(): { queue: AppendQueue; statements: () => number } {
  const context = contextOf(longhaul);
  let sent = 0;
  const database = observed(context.database, () => undefined, () => {
    sent += 1;
  });
  return { queue: new AppendQueue({ ...context, database }, new ReportQueue(context)), statements: () => sent };
}

const numbered = (count: number): LogLine[] => Array.from({ length: count }, (_, index) => ({ message: `line ${index + 1}` }));
const sequences = (lines: readonly { sequence: number }[]) => lines.map(({ sequence }) => sequence);
const upTo = (last: number, first = 1) => Array.from({ length: last - first + 1 }, (_, index) => first + index);

describe('lines', () => {
  test('are numbered from 1 along the job, over its attempts, and are INFO of now unless they say something else', async () => {
    const tenant = await Tenant.in(longhaul);
    const { job, token } = await tenant.running();
    const at = new Date('2026-01-31T12:00:00.123Z');
    expect(await tenant.log(token, 'begun', { at, level: 'DEBUG', message: 'details', fields: { bytes: 5, of: ['a', null] } })).toMatchObject({ sequence: 2 });
    await tenant.fail(token);
    await becomeDue(longhaul, job.id);
    const second = await tenant.start(job);
    const before = longhaul.services.clock.now();
    expect(await tenant.log(second.token, { level: 'ERROR', message: '' })).toMatchObject({ sequence: 3 });
    await tenant.complete(second.token);

    const lines = await tenant.lines(job.id);
    expect(lines).toMatchObject([
      { sequence: 1, attempt: 1, level: 'INFO', message: 'begun', fields: null },
      { sequence: 2, attempt: 1, level: 'DEBUG', message: 'details', fields: { bytes: 5, of: ['a', null] }, at },
      { sequence: 3, attempt: 2, level: 'ERROR', message: '', fields: null },
    ]);
    expect(Math.abs(Number(lines[2]?.at) - before.getTime())).toBeLessThan(60_000);
  });

  test('leave the job as it was', async () => {
    const tenant = await Tenant.in(longhaul);
    const { job, token } = await tenant.running();
    await tenant.log(token, 'one', 'two');
    expect(await tenant.read(job.id)).toEqual(job);
  });

  test('cost a job that has none nothing', async () => {
    const tenant = await Tenant.in(longhaul);
    const { job, token } = await tenant.running();
    await tenant.complete(token);
    expect(await tenant.lines(job.id)).toEqual([]);
    expect(await tenant.count('FROM job_log_counter WHERE workspace_id = $1')).toBe(0);
  });

  test('renew the lease, as a report does', async () => {
    const tenant = await Tenant.in(longhaul);
    const { job, token, expiresAt } = await tenant.running();
    await longhaul.services.database.hot.query(`UPDATE lease SET expires_at = expires_at - interval '20 s' WHERE job_id = $1`, [job.id]);
    const renewed = await tenant.log(token, 'still here');
    expect(renewed.expiresAt.getTime()).toBeGreaterThanOrEqual(expiresAt.getTime());
    // So far on that a renewal adds little: that is not worth a write.
    expect((await tenant.log(token, 'and again')).expiresAt).toEqual(renewed.expiresAt);
  });

  test('that are too long are cut, and say so', async () => {
    const tenant = await Tenant.in(longhaul);
    const { job, token } = await tenant.running();
    await tenant.log(token, 'x'.repeat(8_192), '😀'.repeat(8_192), 'x'.repeat(8_193), '😀'.repeat(8_193), `x${'😀'.repeat(9_000)}`);
    const messages = (await tenant.lines(job.id)).map(({ message }) => message);
    expect(messages.slice(0, 2)).toEqual(['x'.repeat(8_192), '😀'.repeat(8_192)]);
    const cut = messages.slice(2);
    expect(cut.map((message) => /… \(cut: it had (\d+) characters\)$/.exec(message)?.[1])).toEqual(['8193', '8193', '9001']);
    for (const message of cut) {
      expect(Array.from(message)).toHaveLength(8_192);
      expect(message.isWellFormed()).toBe(true);
    }
  });

  test('beyond the newest 10,000 are dropped, counted and deleted', async () => {
    const tenant = await Tenant.in(longhaul);
    const { job, token } = await tenant.running();
    const key = await keyOf(tenant);
    for (let call = 0; call < 10; call += 1) await tenant.log(token, ...numbered(1_000));
    const { job: full } = await ask(longhaul.url, key, JobLogsDocument, { id: job.id, first: 1 });
    expect(full?.logs).toMatchObject({ droppedLines: 0, edges: [{ node: { sequence: 1 } }] });

    await tenant.log(token, 'one too many');
    const { job: over } = await ask(longhaul.url, key, JobLogsDocument, { id: job.id, first: 1 });
    expect(over?.logs).toMatchObject({ droppedLines: 1, edges: [{ node: { sequence: 2 } }], pageInfo: { hasPreviousPage: false } });

    expect(await tenant.log(token, ...numbered(1_000))).toMatchObject({ sequence: 11_001 });
    expect(sequences(await tenant.lines(job.id))).toEqual(upTo(11_001, 1_002));
    const { job: later } = await ask(longhaul.url, key, JobLogsDocument, { id: job.id, last: 1, level: 'ERROR' });
    expect(later?.logs).toMatchObject({ droppedLines: 1_001, edges: [] });
    expect(await tenant.count(`FROM job_log WHERE $1::uuid IS NOT NULL AND job_id = '${job.id}'`)).toBe(10_000);
  });
});

describe('with a lease that is lost, nothing is written', () => {
  test.each([
    { how: 'the job has completed', lose: (tenant: Tenant, token: string) => tenant.complete(token) },
    { how: 'the job was cancelled', lose: (tenant: Tenant, _token: string, id: string) => tenant.cancel(id) },
    { how: 'the attempt has failed', lose: (tenant: Tenant, token: string) => tenant.fail(token) },
    { how: 'it was handed back', lose: (tenant: Tenant, token: string) => tenant.release(token) },
    { how: 'it has expired', lose: (_tenant: Tenant, _token: string, id: string) => endLease(longhaul, id) },
  ])('because $how', async ({ lose }) => {
    const tenant = await Tenant.in(longhaul);
    const { job, token } = await tenant.running();
    await tenant.log(token, 'before');
    await lose(tenant, token, job.id);
    const before = await tenant.read(job.id);
    const { job: lost } = await refusal(LeaseLostError, tenant.log(token, 'after'));
    // The sweep of an expired lease comes at any time.
    expect([before, await tenant.read(job.id)]).toContainEqual(lost);
    expect((await tenant.lines(job.id)).map(({ message }) => message)).toEqual(['before']);
  });

  test('because another attempt has begun', async () => {
    const tenant = await Tenant.in(longhaul);
    const { job, token } = await tenant.running();
    await tenant.release(token);
    const second = await tenant.start(job);
    const [late, own] = await Promise.allSettled([tenant.log(token, 'late'), tenant.log(second.token, 'own')]);
    expect(late).toMatchObject({ status: 'rejected', reason: { code: 'LEASE_LOST', job: null } });
    expect(own).toMatchObject({ value: { sequence: 1 } });
    expect((await tenant.lines(job.id)).map(({ message }) => message)).toEqual(['own']);
  });

  test("because it is another workspace's, or nobody's", async () => {
    const [tenant, stranger] = [await Tenant.in(longhaul), await Tenant.in(longhaul)];
    const { job, token } = await tenant.running();
    for (const [who, sent] of [[stranger, token], [tenant, 'lease_nonsense'], [tenant, '']] as const) {
      expect((await refusal(LeaseLostError, who.log(sent, 'x'))).job).toBeNull();
    }
    expect(await tenant.lines(job.id)).toEqual([]);
    expect(await tenant.count('FROM job_log_counter WHERE workspace_id = $1')).toBe(0);
  });
});

describe('bad input is refused with its path, and nothing is written', () => {
  const deep = (levels: number): object => (levels === 0 ? {} : { deeper: deep(levels - 1) });
  test.each([
    { what: 'no line', lines: [], path: ['lines'] },
    { what: '1,001 lines', lines: numbered(1_001), path: ['lines'] },
    { what: 'no message', lines: [{}], path: ['lines', '0', 'message'] },
    { what: 'NUL in a message', lines: [{ message: 'a' }, { message: 'a\0b' }], path: ['lines', '1', 'message'] },
    { what: 'half a surrogate pair in a message', lines: [{ message: '\ud83d' }], path: ['lines', '0', 'message'] },
    { what: 'NUL in a field', lines: [{ message: 'a', fields: { b: { c: ['\0'] } } }], path: ['lines', '0', 'fields', 'b', 'c', '0'] },
    { what: 'half a surrogate pair in a key', lines: [{ message: 'a', fields: { '\udc00': 1 } }], path: ['lines', '0', 'fields'] },
    { what: 'fields that are too large', lines: [{ message: 'a', fields: { b: 'é'.repeat(8_192) } }], path: ['lines', '0', 'fields'] },
    { what: 'fields that are too deep', lines: [{ message: 'a', fields: deep(70) }], path: null },
    { what: 'fields that are no object', lines: [{ message: 'a', fields: [1] }], path: ['lines', '0', 'fields'] },
    { what: 'a level that is none', lines: [{ message: 'a', level: 'TRACE' }], path: ['lines', '0', 'level'] },
    { what: 'an instant that is none', lines: [{ message: 'a', at: 'yesterday' }], path: ['lines', '0', 'at'] },
    { what: 'an instant that no database has', lines: [{ message: 'a', at: '0000-01-01T00:00:00Z' }], path: ['lines', '0', 'at'] },
    { what: 'an instant in the year 10000', lines: [{ message: 'a', at: '9999-12-31T23:59:59-14:00' }], path: ['lines', '0', 'at'] },
  ])('$what', async ({ lines, path }) => {
    const tenant = await Tenant.in(longhaul);
    const { job, token } = await tenant.running();
    const query = `mutation ($input: AppendLogsInput!) { appendLogs(input: $input) { __typename ... on ValidationError { code issues { path message } } } }`;
    const { data, errors } = await longhaul.graphql(query, { input: { token, lines } }, await keyOf(tenant));
    expect(errors).toEqual([]);
    expect(data).toMatchObject({ appendLogs: { __typename: 'ValidationError', code: 'VALIDATION_ERROR', issues: [path === null ? {} : { path }] } });
    expect(await tenant.lines(job.id)).toEqual([]);
  });

  test('many faults at once are all named', async () => {
    const tenant = await Tenant.in(longhaul);
    const { token } = await tenant.running();
    const { issues } = await refusal(ValidationError, tenant.log(token, '\0', 'fine', '\0'));
    expect(issues.map(({ path }) => path.join('.'))).toEqual(['lines.0.message', 'lines.2.message']);
  });
});

describe('calls that arrive together', () => {
  test('share statements, and each learns its own sequence', async () => {
    const tenant = await Tenant.in(longhaul);
    await tenant.createAll(Array.from({ length: 20 }, () => ({})));
    const attempts = await tenant.claim({ limit: 20 });
    const { queue, statements } = another();
    const calls = attempts.flatMap(({ token }) => [1, 2, 3].map((count) => appendLogs(queue, tenant.id, { token, lines: numbered(count) })));
    const ends = (await Promise.all(calls)).map(({ sequence }) => sequence);
    expect(ends).toEqual(attempts.flatMap(() => [1, 3, 6]));
    expect(statements()).toBeLessThan(10);
    for (const { job } of attempts) {
      expect((await tenant.lines(job.id)).map(({ message }) => message)).toEqual(['line 1', 'line 1', 'line 2', 'line 1', 'line 2', 'line 3']);
    }
  });

  test('on two processes leave no gap and no line twice', async () => {
    const tenant = await Tenant.in(longhaul);
    const { job, token } = await tenant.running();
    const queues = [another(), another()];
    const own = await Promise.all(
      queues.map(async ({ queue }) => {
        const ends: number[] = [];
        for (let call = 0; call < 20; call += 1) ends.push((await appendLogs(queue, tenant.id, { token, lines: numbered(3) })).sequence);
        return ends;
      }),
    );
    expect(sequences(await tenant.lines(job.id))).toEqual(upTo(120));
    expect(own.flat().toSorted((a, b) => a - b)).toEqual(Array.from({ length: 40 }, (_, index) => 3 * (index + 1)));
    for (const ends of own) expect(ends).toEqual(ends.toSorted((a, b) => a - b));
  });
});

// The embedded database has one connection: there, no transaction can hold a row meanwhile.
describe.runIf(backend === 'servers')('while the lines of a job are being written elsewhere', () => {
  test('it completes, and the logs of other jobs go on', async () => {
    const tenant = await Tenant.in(longhaul);
    const [job, other] = [await tenant.running(), await tenant.running()];
    await tenant.log(job.token, 'first');
    let waiting: Promise<unknown> = Promise.resolve();
    await longhaul.services.database.transaction(async (transaction) => {
      await transaction.query(mayIdle);
      await transaction.query('SELECT FROM job_log_counter WHERE job_id = $1 FOR NO KEY UPDATE', [job.job.id]);
      waiting = refusal(LeaseLostError, tenant.log(job.token, 'second'));
      expect(await tenant.log(other.token, 'other')).toMatchObject({ sequence: 1 });
      expect(await tenant.complete(job.token)).toMatchObject({ status: 'COMPLETED' });
    });
    await waiting;
    expect((await tenant.lines(job.job.id)).map(({ message }) => message)).toEqual(['first']);
  });
});

describe('Job.logs', () => {
  test('pages through the lines in both directions, also of one level and one attempt', async () => {
    const tenant = await Tenant.in(longhaul);
    const key = await keyOf(tenant);
    const { job, token } = await tenant.running();
    await tenant.log(token, { level: 'DEBUG', message: '1' }, '2', { level: 'WARN', message: '3' }, { level: 'ERROR', message: '4' });
    await tenant.release(token);
    const second = await tenant.start(job);
    await tenant.log(second.token, { level: 'DEBUG', message: '5' }, { level: 'WARN', message: '6' });
    const page = async (asked: Omit<JobLogsQueryVariables, 'id'>) => {
      const { job: found } = await ask(longhaul.url, key, JobLogsDocument, { id: job.id, ...asked });
      if (found === null) throw new Error('the job is not there');
      const { edges, pageInfo } = found.logs;
      return { shown: edges.map(({ node }) => node.sequence), pageInfo, cursors: edges.map(({ cursor }) => cursor) };
    };

    const all = await page({});
    expect(all.shown).toEqual([1, 2, 3, 4, 5, 6]);
    const [, second2, , fourth] = all.cursors;
    expect(await page({ first: 2, after: second2 ?? '' })).toMatchObject({ shown: [3, 4], pageInfo: { hasNextPage: true, hasPreviousPage: true } });
    expect(await page({ last: 2, before: fourth ?? '' })).toMatchObject({ shown: [2, 3], pageInfo: { hasNextPage: true, hasPreviousPage: true } });
    expect(await page({ last: 2 })).toMatchObject({ shown: [5, 6], pageInfo: { hasNextPage: false, hasPreviousPage: true } });
    expect((await page({ level: 'WARN' })).shown).toEqual([3, 4, 6]);
    expect((await page({ level: 'WARN', first: 1, after: fourth ?? '' })).shown).toEqual([6]);
    expect((await page({ attempt: 2 })).shown).toEqual([5, 6]);
    expect((await page({ attempt: 1, level: 'ERROR' })).shown).toEqual([4]);
    expect((await page({ attempt: 3 })).shown).toEqual([]);
  });

  test('reads the logs of many jobs of a list in one statement', async () => {
    const tenant = await Tenant.in(longhaul);
    const jobs = await Promise.all(Array.from({ length: 5 }, () => tenant.running()));
    await Promise.all(jobs.map(({ job, token }) => tenant.log(token, `of ${job.id}`)));
    const query = '{ jobs { edges { node { uuid logs(first: 1) { edges { node { message } } droppedLines } } } } }';
    const { data } = await longhaul.graphql(query, {}, await keyOf(tenant));
    const ids = jobs.map(({ job }) => job.id).toSorted().toReversed();
    const nodes = ids.map((id) => ({ node: { uuid: id, logs: { droppedLines: 0, edges: [{ node: { message: `of ${id}` } }] } } }));
    expect(data).toEqual({ jobs: { edges: nodes } });
  });

  test.each([
    { asked: { after: 'nonsense' }, what: 'after' },
    { asked: { first: 101 }, what: 'first' },
    { asked: { last: 0 }, what: 'last' },
  ])('refuses a wrong $what', async ({ asked }) => {
    const tenant = await Tenant.in(longhaul);
    const { id } = await tenant.create();
    const { errors } = await request(longhaul.url, await keyOf(tenant), JobLogsDocument, { id, ...asked });
    expect(errors).toMatchObject([{ extensions: { code: 'BAD_USER_INPUT' } }]);
  });

  test('is shown to a worker while it holds the job, and no longer', async () => {
    const tenant = await Tenant.in(longhaul);
    const key = await keyOf(tenant, ['WORK']);
    const { id } = await tenant.create();
    const claimed = await longhaul.graphql(
      'mutation ($id: ID!) { claimJobs(input: { types: ["fingerprint"], jobIds: [$id], workerId: "w" }) { ... on ClaimJobsPayload { leases { token } } } }',
      { id },
      key,
    );
    const [token = ''] = /lease_[\w-]+/.exec(JSON.stringify(claimed.data)) ?? [];
    const { appendLogs: written } = await ask(longhaul.url, key, AppendLogsDocument, { input: { token, lines: [{ message: 'mine' }] } });
    expect(written).toMatchObject({ __typename: 'AppendLogsPayload', sequence: 1 });
    const shown = async () => (await ask(longhaul.url, key, JobLogsDocument, { id })).job?.logs.edges.map(({ node }) => node.message);
    expect(await shown()).toEqual(['mine']);
    await tenant.release(token);
    expect(await shown()).toBeUndefined();
    expect(await ask(longhaul.url, key, AppendLogsDocument, { input: { token, lines: [{ message: 'late' }] } })).toMatchObject({
      appendLogs: { __typename: 'LeaseLostError', code: 'LEASE_LOST', lostJob: { status: 'PENDING' } },
    });
  });

  test('is shown with an access token for the job or its tag, and with no other', async () => {
    const tenant = await Tenant.in(longhaul);
    const key = await keyOf(tenant);
    const { job, token } = await tenant.running({ tags: ['mine'] });
    await tenant.log(token, 'seen');
    const messages = async (input: object) => {
      const made = await longhaul.graphql(
        'mutation ($input: CreateAccessTokenInput!) { createAccessToken(input: $input) { ... on CreateAccessTokenPayload { token } } }',
        { input },
        key,
      );
      const access = /"token":"([^"]+)"/.exec(JSON.stringify(made.data))?.[1] ?? '';
      return (await ask(longhaul.url, access, JobLogsDocument, { id: job.id })).job?.logs.edges.map(({ node }) => node.message);
    };
    expect(await messages({ jobId: job.id })).toEqual(['seen']);
    expect(await messages({ tag: 'mine' })).toEqual(['seen']);
    expect(await messages({ tag: 'other' })).toBeUndefined();
  });
});

test('deleteLogs removes the lines of the jobs that it is given and that have ended, and of no others', async () => {
  const [tenant, stranger] = [await Tenant.in(longhaul), await Tenant.in(longhaul)];
  const [gone, kept, foreign, silent] = [await tenant.running(), await tenant.running(), await stranger.running(), await tenant.create(usualRequest)];
  await tenant.log(gone.token, ...numbered(1_000));
  await tenant.log(kept.token, 'kept');
  await stranger.log(foreign.token, 'kept');
  const { reads } = longhaul.services.database;
  await tenant.complete(gone.token);
  await stranger.complete(foreign.token);
  await deleteLogs(reads, [gone.job.id, kept.job.id, silent.id]);
  expect(await tenant.lines(gone.job.id)).toEqual([]);
  // A counter goes with its job. Until then it tells watchers that there were lines.
  const counters = await reads.query('SELECT job_id, last, trimmed FROM job_log_counter WHERE workspace_id = $1 ORDER BY job_id', [tenant.id]);
  expect(counters).toEqual([{ job_id: gone.job.id, last: 0, trimmed: -1 }, { job_id: kept.job.id, last: 1, trimmed: 0 }]);
  expect(await tenant.count(`FROM job_log WHERE $1::uuid IS NOT NULL AND job_id = '${gone.job.id}'`)).toBe(0);
  expect(await tenant.lines(kept.job.id)).toHaveLength(1);
  expect(await stranger.lines(foreign.job.id)).toHaveLength(1);
});

async function keyOf({ id: workspaceId }: Tenant, scopes: Scope[] = ['READ', 'WORK']): Promise<string> {
  return (await createApiKey(longhaul.services.database, { workspaceId, name: 'test', scopes })).secret;
}
