import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { InsufficientCreditsError, QueueFullError, ValidationError } from '../../src/errors.ts';
import type { JobRequest } from '../../src/jobs/create/job-request.ts';
import { becomeDue, inOneHour, refusal, Tenant, usualRequest } from '../support/domain.ts';
import { type Longhaul, startLonghaul } from '../support/longhaul.ts';

const queueLength = 1_000;

let longhaul: Longhaul;
beforeAll(async () => {
  longhaul = await startLonghaul({ MAX_QUEUE_LENGTH: String(queueLength) });
});
afterAll(() => longhaul.stop());

async function issuesOf(asked: Partial<JobRequest>) {
  const tenant = await Tenant.in(longhaul);
  const { issues } = await refusal(ValidationError, tenant.create(asked));
  expect(await tenant.count('FROM job WHERE workspace_id = $1')).toBe(0);
  expect(await tenant.balance()).toBe(1_000_000);
  return issues;
}

test('a job is created with everything that was asked for', async () => {
  const tenant = await Tenant.in(longhaul);
  const asked = {
    type: 'house-timelapse',
    input: { theme: 'A lighthouse', own: { note: 'größer 😀' } },
    priority: 7,
    tags: ['b', 'a', 'b'],
    webhookUrl: 'https://example.com/hook?x=1',
    maxAttempts: 9,
  };
  const job = await tenant.create(asked);
  expect(job).toMatchObject({
    ...asked,
    tags: ['b', 'a'],
    status: 'PENDING',
    version: 1,
    attempt: 0,
    creditsCharged: 150,
    creditsRefunded: 0,
    runAt: null,
    startedAt: null,
    progress: null,
  });
  expect(await tenant.read(job.id)).toEqual(job);
});

describe('bad input is refused with the path of each fault, and nothing is written', () => {
  test('an unknown type is told the name that is nearly the same', async () => {
    const [issue] = await issuesOf({ type: 'fingerprnt' });
    expect(issue?.path).toEqual(['type']);
    expect(issue?.message).toContain('Did you mean "fingerprint"?');
  });

  test('an input that its type does not take', async () => {
    expect(await issuesOf({ type: 'translate', input: { sourceUrl: 7, language: '' } })).toEqual([
      { path: ['input', 'sourceUrl'], message: expect.stringContaining('got 7') },
      { path: ['input', 'language'], message: expect.stringContaining('language tag') },
    ]);
  });

  const unsound = [
    { where: 'input', asked: { input: { ...usualRequest.input, list: ['fine', 'a\0b'] } }, path: ['input', 'list', '1'] },
    { where: 'input', asked: { input: { ...usualRequest.input, note: '\uD83D' } }, path: ['input', 'note'] },
    { where: 'a key of the input', asked: { input: { ...usualRequest.input, '\uDE00': 1 } }, path: ['input'] },
    { where: 'tags', asked: { tags: ['fine', '\0'] }, path: ['tags', '1'] },
    { where: 'idempotencyKey', asked: { idempotencyKey: '\uD83D' }, path: ['idempotencyKey'] },
    { where: 'webhookUrl', asked: { webhookUrl: 'https://example.com/\0' }, path: ['webhookUrl'] },
    { where: 'type', asked: { type: 'fingerprint\0' }, path: ['type'] },
  ];
  test.each(unsound)('NUL or half a surrogate pair in $where', async ({ asked, path }) => {
    expect(await issuesOf(asked)).toEqual([expect.objectContaining({ path })]);
  });

  const outOfBounds: { name: string; asked: Partial<JobRequest>; path: string[] }[] = [
    { name: 'priority 101', asked: { priority: 101 }, path: ['priority'] },
    { name: 'priority -101', asked: { priority: -101 }, path: ['priority'] },
    { name: 'a fraction as priority', asked: { priority: 0.5 }, path: ['priority'] },
    { name: 'no attempt', asked: { maxAttempts: 0 }, path: ['maxAttempts'] },
    { name: '101 attempts', asked: { maxAttempts: 101 }, path: ['maxAttempts'] },
    { name: '21 tags', asked: { tags: Array.from({ length: 21 }, String) }, path: ['tags'] },
    { name: 'an empty tag', asked: { tags: [''] }, path: ['tags', '0'] },
    { name: 'a tag of 101 characters', asked: { tags: ['t'.repeat(101)] }, path: ['tags', '0'] },
    { name: 'an empty key', asked: { idempotencyKey: '' }, path: ['idempotencyKey'] },
    { name: 'a key of 256 characters', asked: { idempotencyKey: 'k'.repeat(256) }, path: ['idempotencyKey'] },
    { name: 'a webhook by FTP', asked: { webhookUrl: 'ftp://example.com' }, path: ['webhookUrl'] },
    { name: 'a webhook with a password', asked: { webhookUrl: 'https://a:b@example.com' }, path: ['webhookUrl'] },
    { name: 'no instant', asked: { runAt: new Date(Number.NaN) }, path: ['runAt'] },
    { name: 'an instant in the year 10,000', asked: { runAt: new Date('+010000-01-01T00:00:00Z') }, path: ['runAt'] },
    {
      name: 'an input over the limit',
      asked: { input: { ...usualRequest.input, note: 'x'.repeat(262_144) } },
      path: ['input'],
    },
  ];
  test.each(outOfBounds)('$name', async ({ asked, path }) => {
    expect(await issuesOf(asked)).toEqual([expect.objectContaining({ path })]);
  });
});

test('what is just within its bounds is taken', async () => {
  const tenant = await Tenant.in(longhaul);
  const tags = Array.from({ length: 20 }, (_, index) => `${index}`.padEnd(100, 't'));
  const asked = { priority: -100, maxAttempts: 100, tags, idempotencyKey: 'k'.repeat(255) };
  expect(await tenant.create(asked)).toMatchObject({ priority: -100, maxAttempts: 100, tags });
});

test('a job with a runAt in the future waits for it', async () => {
  const tenant = await Tenant.in(longhaul);
  const runAt = inOneHour();
  const job = await tenant.create({ runAt });
  expect(job).toMatchObject({ status: 'PENDING', runAt, dueAt: runAt });
  expect(await tenant.claim()).toEqual([]);

  await becomeDue(longhaul, job.id);

  expect(await tenant.claim()).toMatchObject([{ job: { id: job.id, runAt } }]);
});

test('a job with a runAt in the past is due at once', async () => {
  const tenant = await Tenant.in(longhaul);
  const job = await tenant.create({ runAt: new Date('2001-01-01T00:00:00Z') });
  expect(job.dueAt.getTime()).toBeGreaterThanOrEqual(job.createdAt.getTime() - 60_000);
  expect(await tenant.claim()).toMatchObject([{ job: { id: job.id } }]);
});

describe('a workspace with a full queue', () => {
  test('takes no further job until one has started', async () => {
    const tenant = await Tenant.in(longhaul);
    await tenant.createAll(Array.from({ length: queueLength }, () => ({})));

    const { limit } = await refusal(QueueFullError, tenant.create());
    expect(limit).toBe(queueLength);
    expect(await tenant.balance()).toBe(1_000_000 - queueLength);

    await tenant.claim();
    await tenant.create();
    await refusal(QueueFullError, tenant.create());
  });

  test('takes of many that come at once as many as there is room for', async () => {
    const tenant = await Tenant.in(longhaul);
    await tenant.createAll(Array.from({ length: queueLength - 3 }, () => ({})));
    const results = await Promise.allSettled(Array.from({ length: 10 }, () => tenant.create()));
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(3);
    expect(await tenant.count('FROM job WHERE workspace_id = $1')).toBe(queueLength);
  });

  test('refuses a batch that does not fit, and takes a smaller one that came with it', async () => {
    const tenant = await Tenant.in(longhaul);
    await tenant.createAll(Array.from({ length: queueLength - 3 }, () => ({})));
    const [large, small] = await Promise.allSettled([tenant.createAll([{}, {}, {}, {}]), tenant.createAll([{}, {}, {}])]);
    expect(large).toMatchObject({ status: 'rejected', reason: { code: 'QUEUE_FULL' } });
    expect(small.status).toBe('fulfilled');
  });
});

describe('many jobs in one call', () => {
  const thousand = Array.from({ length: 1_000 }, (_, index) => ({ tags: [`number ${index}`] }));

  test('come back in their order, created and charged', async () => {
    const tenant = await Tenant.in(longhaul, { credits: 1_000 });
    const jobs = await tenant.createAll(thousand);
    expect(jobs.map(({ tags }) => tags[0])).toEqual(thousand.map(({ tags }) => tags[0]));
    expect(jobs.map(({ id }) => id)).toEqual(jobs.map(({ id }) => id).toSorted());
    expect(await tenant.balance()).toBe(0);
    const balances = (await tenant.ledger()).map(({ balanceAfter }) => balanceAfter);
    expect(balances).toEqual(Array.from({ length: 1_001 }, (_, index) => 1_000 - index));
  });

  test('are none when the 700th is bad', async () => {
    const tenant = await Tenant.in(longhaul);
    const asked = thousand.map((request, index) => (index === 699 ? { input: { sourceUrl: 'nowhere' } } : request));
    const { issues } = await refusal(ValidationError, tenant.createAll(asked));
    expect(issues).toMatchObject([{ path: ['jobs', '699', 'input', 'sourceUrl'] }]);
    expect(await tenant.count('FROM job WHERE workspace_id = $1')).toBe(0);
    expect(await tenant.balance()).toBe(1_000_000);
  });

  test('are none when the credits suffice for all but one', async () => {
    const tenant = await Tenant.in(longhaul, { credits: 999 });
    const { required, available } = await refusal(InsufficientCreditsError, tenant.createAll(thousand));
    expect({ required, available }).toEqual({ required: 1_000, available: 999 });
    expect(await tenant.count('FROM job WHERE workspace_id = $1')).toBe(0);
    expect(await tenant.count('FROM job_tag WHERE workspace_id = $1')).toBe(0);
    expect(await tenant.balance()).toBe(999);
  });

  test('are refused when they are none, or more than 1,000', async () => {
    const tenant = await Tenant.in(longhaul);
    expect(await refusal(ValidationError, tenant.createAll([]))).toMatchObject({ issues: [{ path: ['jobs'] }] });
    const tooMany = [...thousand, {}];
    expect(await refusal(ValidationError, tenant.createAll(tooMany))).toMatchObject({ issues: [{ path: ['jobs'] }] });
  });
});
