import { randomUUID } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { AlreadyFinishedError, LeaseLostError } from '../../src/jobs/model/job-errors.ts';
import { encodeLeaseToken } from '../../src/jobs/claim/lease-token.ts';
import {
  isBetweenAttempts,
  isFinal,
  isRetryable,
  isRunning,
  jobPhases,
  type JobStatus,
  jobStatuses,
  phaseOf,
} from '../../src/jobs/model/state-machine.ts';
import { endLease, type HeldJob, inOneHour, refusal, sweep, Tenant } from '../support/domain.ts';
import { type Longhaul, sharedLonghaul } from '../support/longhaul.ts';

let longhaul: Longhaul;
beforeAll(async () => {
  longhaul = await sharedLonghaul();
});
afterAll(() => longhaul.stop());

/** A job in some state, and the newest token that its workers have. */
type Subject = Pick<HeldJob, 'job' | 'token'>;

async function neverClaimed(tenant: Tenant, runAt: Date | null): Promise<Subject> {
  const job = await tenant.create({ runAt });
  return { job, token: encodeLeaseToken({ jobId: job.id, token: randomUUID() }) };
}

/** Every state that a job can be in, and how it comes there. */
const states = {
  'pending and due': (tenant: Tenant) => neverClaimed(tenant, null),
  'pending until its runAt': (tenant: Tenant) => neverClaimed(tenant, inOneHour()),
  'pending between two attempts': async (tenant: Tenant) => {
    const { token } = await tenant.running();
    const job = await tenant.fail(token);
    // The backoff is made long, so that it does not end during the test.
    await longhaul.services.database.hot.query('UPDATE job SET due_at = $2 WHERE id = $1', [job.id, inOneHour()]);
    return { job, token };
  },
  running: (tenant: Tenant) => tenant.running(),
  completed: async (tenant: Tenant) => {
    const { token } = await tenant.running();
    return { job: await tenant.complete(token, 'first'), token };
  },
  failed: async (tenant: Tenant) => {
    const { token } = await tenant.running({ maxAttempts: 1 });
    return { job: await tenant.fail(token), token };
  },
  'cancelled while pending': async (tenant: Tenant) => {
    const { job, token } = await neverClaimed(tenant, null);
    return { job: await tenant.cancel(job.id), token };
  },
  'cancelled while running': async (tenant: Tenant) => {
    const { job, token } = await tenant.running();
    return { job: await tenant.cancel(job.id), token };
  },
} satisfies Record<string, (tenant: Tenant) => Promise<Subject>>;

type State = keyof typeof states;

interface Action {
  act: (tenant: Tenant, subject: Subject) => Promise<unknown>;
  /** The status that follows, for each state in which it may happen. */
  leads: Partial<Record<State, JobStatus>>;
  /** What it says in all other states; null where it says nothing. */
  refusal: typeof LeaseLostError | typeof AlreadyFinishedError | null;
}

const actions: Record<string, Action> = {
  claim: {
    act: (tenant, { job }) => tenant.claim({ jobIds: [job.id] }),
    leads: { 'pending and due': 'RUNNING' },
    refusal: null,
  },
  complete: {
    act: (tenant, { token }) => tenant.complete(token, 'second'),
    leads: { running: 'COMPLETED' },
    refusal: LeaseLostError,
  },
  'fail with attempts left': {
    act: (tenant, { token }) => tenant.fail(token, { code: 'ANOTHER' }),
    leads: { running: 'PENDING' },
    refusal: LeaseLostError,
  },
  'fail for good': {
    act: (tenant, { token }) => tenant.fail(token, { code: 'ANOTHER', retryable: false }),
    leads: { running: 'FAILED' },
    refusal: LeaseLostError,
  },
  release: {
    act: (tenant, { token }) => tenant.release(token),
    leads: { running: 'PENDING' },
    refusal: LeaseLostError,
  },
  cancel: {
    act: (tenant, { job }) => tenant.cancel(job.id),
    leads: {
      'pending and due': 'CANCELLED',
      'pending until its runAt': 'CANCELLED',
      'pending between two attempts': 'CANCELLED',
      running: 'CANCELLED',
    },
    refusal: AlreadyFinishedError,
  },
  expire: {
    act: async (_tenant, { job }) => {
      await endLease(longhaul, job.id);
      await sweep(longhaul);
    },
    leads: { running: 'PENDING' },
    refusal: null,
  },
};

describe.each(Object.entries(states))('of a job that is %s', (state, arrange) => {
  test.each(Object.entries(actions))('the transition %s is what the state machine says', async (_name, action) => {
    const tenant = await Tenant.in(longhaul);
    const subject = await arrange(tenant);
    const before = await tenant.read(subject.job.id);
    const [, to] = Object.entries(action.leads).find(([from]) => from === state) ?? [];

    const work = action.act(tenant, subject);
    if (to === undefined && action.refusal !== null) await refusal<Error>(action.refusal, work);
    else await work;

    const after = await tenant.read(subject.job.id);
    if (to === undefined) expect(after).toEqual(before);
    else expect(after).toMatchObject({ status: to, version: before.version + 1 });
    expect(after.finishedAt !== null).toBe(isFinal(after.status));
    expect(await tenant.count('FROM lease WHERE workspace_id = $1')).toBe(isRunning(after.status) ? 1 : 0);
  });
});

test('what the state machine says of a status holds for each of them', () => {
  expect(jobStatuses.filter(isFinal)).toEqual(['COMPLETED', 'FAILED', 'CANCELLED']);
  expect(jobStatuses.filter(isRetryable)).toEqual(['FAILED', 'CANCELLED']);
  expect(jobStatuses.filter(isRunning)).toEqual(['RUNNING']);
  expect(jobStatuses.filter((status) => isBetweenAttempts(status, 1))).toEqual(['PENDING']);
  expect(jobStatuses.filter((status) => isBetweenAttempts(status, 0))).toEqual([]);
  expect(jobStatuses.map((status) => phaseOf(status, 0))).toEqual(jobPhases);
  expect(jobStatuses.map((status) => phaseOf(status, 1))).toEqual(jobPhases.map((phase) => (phase === 'waiting' ? 'working' : phase)));
});

test('no other file knows the names of statuses, but those that render them or stand for a table', async () => {
  const src = fileURLToPath(new URL('../../src/', import.meta.url));
  // The page and the command line are clients: they render what the API answers, and import nothing of the domain.
  const allowed = /^(dashboard\/.*|cli\/.*|jobs\/model\/state-machine\.ts|rest\/.*|graphql\/types\/.*|webhooks\/entities\.ts|jobs\/bulk\/entities\.ts|database\/migrations\/.*)$/;
  const quoted = new RegExp(`(['"\`])(${jobStatuses.join('|')})\\1`);
  const files = (await readdir(src, { recursive: true })).filter((file) => file.endsWith('.ts'));
  const offenders = await Promise.all(
    files
      .map((file) => file.replaceAll('\\', '/'))
      .filter((file) => !allowed.test(file))
      .map(async (file) => (quoted.test(await readFile(src + file, 'utf8')) ? file : null)),
  );
  expect(files).toContain('jobs/model/state-machine.ts');
  expect(offenders.filter((file) => file !== null)).toEqual([]);
});
