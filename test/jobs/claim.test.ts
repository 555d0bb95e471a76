import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import { ValidationError } from '../../src/errors.ts';
import type { Claim } from '../../src/jobs/claim/claim-request.ts';
import type { Claimer } from '../../src/jobs/claim/claimer.ts';
import type { JobsContext } from '../../src/jobs/model/context.ts';
import { becomeDue, contextOf, held, type HeldJob, inOneHour, refusal, rivalClaimer, Tenant, usualRequest } from '../support/domain.ts';
import { type Longhaul, sharedLonghaul } from '../support/longhaul.ts';
import { observed } from '../support/observed-database.ts';

let longhaul: Longhaul;
beforeAll(async () => {
  longhaul = await sharedLonghaul();
});
afterAll(() => longhaul.stop());

const usualClaim = { types: [usualRequest.type], workerId: 'worker' } satisfies Claim;

function ids(jobs: readonly HeldJob[]): string[] {
  return jobs.map(({ job }) => job.id);
}

/** As if it had been created so many seconds earlier. */
async function age(jobId: string, seconds: number): Promise<void> {
  await longhaul.services.database.hot.query(
    `UPDATE job SET due_at = due_at - make_interval(secs => $2), dispatch_at = dispatch_at - make_interval(secs => $2)
     WHERE id = $1`,
    [jobId, seconds],
  );
}

test('a claimed job runs, with its attempt, its lease and its worker noted', async () => {
  const tenant = await Tenant.in(longhaul);
  const { id } = await tenant.create();
  const [started] = await tenant.claim({ workerId: 'render-1' });
  expect(started?.job).toMatchObject({ id, status: 'RUNNING', attempt: 1, version: 2, startedAt: expect.any(Date) });
  expect(started?.token).toMatch(/^lease_[\w-]{43}$/);
  expect(started?.expiresAt.getTime()).toBe((started?.job.startedAt?.getTime() ?? 0) + 30_000);
  expect(started?.leaseSeconds).toBe(30);
  expect(started?.job).toEqual(await tenant.read(id));
});

test('sixteen rival processes claim each job once', async () => {
  const tenant = await Tenant.in(longhaul);
  const jobs = await tenant.createAll(Array.from({ length: 200 }, () => ({})));
  const rivals = Array.from({ length: 16 }, () => rivalClaimer(longhaul));
  const claimed: string[] = [];
  while (claimed.length < jobs.length) {
    const rounds = await Promise.all(rivals.map((rival) => rival.claim(tenant.id, { ...usualClaim, limit: 7 })));
    claimed.push(...ids(rounds.flat().map(held)));
  }
  expect(claimed.toSorted()).toEqual(jobs.map(({ id }) => id).toSorted());
  expect(await tenant.count('FROM lease WHERE workspace_id = $1 AND attempt = 1')).toBe(jobs.length);
});

test('many waiting claims of one process share the work without a job given twice', async () => {
  const tenant = await Tenant.in(longhaul);
  const jobs = await tenant.createAll(Array.from({ length: 30 }, () => ({})));
  const shares = await Promise.all(Array.from({ length: 40 }, () => tenant.claim({ limit: 5 })));
  expect(shares.flatMap(ids).toSorted()).toEqual(jobs.map(({ id }) => id).toSorted());
  expect(Math.max(...shares.map(({ length }) => length))).toBe(1);
});

test('more waiting claims than one statement serves wait in peace, and are all answered', async () => {
  const tenant = await Tenant.in(longhaul);
  const answers = Array.from({ length: 250 }, () => tenant.claim({ waitSeconds: 30 }));
  expect(await tenant.claim()).toEqual([]);
  const jobs = await tenant.createAll(Array.from({ length: 250 }, () => ({})));
  expect((await Promise.all(answers)).flatMap(ids).toSorted()).toEqual(jobs.map(({ id }) => id));
});

describe('of the jobs of one workspace and type', () => {
  test('the oldest is first', async () => {
    const tenant = await Tenant.in(longhaul);
    const jobs = [await tenant.create(), await tenant.create(), await tenant.create()];
    expect(ids(await tenant.claim({ limit: 3 }))).toEqual(jobs.map(({ id }) => id));
  });

  test('a point of priority is a head start of a minute', async () => {
    const tenant = await Tenant.in(longhaul);
    const old = await tenant.create();
    const low = await tenant.create({ priority: -1 });
    const urgent = await tenant.create({ priority: 1 });
    await age(old.id, 50);
    expect(ids(await tenant.claim({ limit: 3 }))).toEqual([urgent.id, old.id, low.id]);
  });

  test('one that has waited for longer than the head start goes first', async () => {
    const tenant = await Tenant.in(longhaul);
    const old = await tenant.create();
    const urgent = await tenant.create({ priority: 100 });
    await age(old.id, 100 * 60 + 30);
    expect(ids(await tenant.claim({ limit: 2 }))).toEqual([old.id, urgent.id]);
  });

  test('priority still counts for an attempt that was handed back', async () => {
    const tenant = await Tenant.in(longhaul);
    const urgent = await tenant.running({ priority: 5 });
    const usual = await tenant.create();
    await tenant.release(urgent.token);
    expect(ids(await tenant.claim({ limit: 2 }))).toEqual([urgent.job.id, usual.id]);
  });
});

describe('a claim', () => {
  test('takes one job where it names no limit, and never more than its limit', async () => {
    const tenant = await Tenant.in(longhaul);
    await tenant.createAll([{}, {}, {}, {}, {}]);
    expect(await tenant.claim()).toHaveLength(1);
    expect(await tenant.claim({ limit: 3 })).toHaveLength(3);
    expect(await tenant.claim({ limit: 3 })).toHaveLength(1);
    expect(await tenant.claim({ limit: 3 })).toEqual([]);
  });

  test('takes jobs of its types only, and of each of them', async () => {
    const tenant = await Tenant.in(longhaul);
    const [, transcription, comments] = await tenant.createAll([{}, { type: 'transcribe' }, { type: 'comments' }]);
    const claimed = await tenant.claim({ types: ['comments', 'transcribe', 'comments'], limit: 10 });
    expect(ids(claimed).toSorted()).toEqual([transcription?.id, comments?.id]);
  });

  test('takes the jobs that it names only, and of them those that are its to take', async () => {
    const [tenant, other] = await Promise.all([Tenant.in(longhaul), Tenant.in(longhaul)]);
    const [, wanted, cancelled] = await tenant.createAll([{}, {}, {}]);
    const foreign = await other.create();
    const otherType = await tenant.create({ type: 'transcribe' });
    if (wanted === undefined || cancelled === undefined) throw new Error('not created');
    await tenant.cancel(cancelled.id);
    const jobIds = [cancelled.id, foreign.id, otherType.id, wanted.id];
    expect(ids(await tenant.claim({ jobIds, limit: 10 }))).toEqual([wanted.id]);
    expect(await tenant.claim({ jobIds: [], limit: 10 })).toEqual([]);
  });

  test('by a key of one workspace sees nothing of another', async () => {
    const [tenant, other] = await Promise.all([Tenant.in(longhaul), Tenant.in(longhaul)]);
    await other.create();
    expect(await tenant.claim()).toEqual([]);
    expect(await other.claim()).toHaveLength(1);
  });

  const refused: { name: string; asked: Partial<Claim>; path: string[] }[] = [
    { name: 'no type', asked: { types: [] }, path: ['types'] },
    { name: 'a limit of 0', asked: { limit: 0 }, path: ['limit'] },
    { name: 'a limit of 101', asked: { limit: 101 }, path: ['limit'] },
    { name: 'a wait of 31 seconds', asked: { waitSeconds: 31 }, path: ['waitSeconds'] },
    { name: 'no worker', asked: { workerId: '' }, path: ['workerId'] },
    { name: 'an id that is no id', asked: { jobIds: ['first'] }, path: ['jobIds', '0'] },
  ];
  test.each(refused)('is refused with $name', async ({ asked, path }) => {
    const tenant = await Tenant.in(longhaul);
    expect(await refusal(ValidationError, tenant.claim(asked))).toMatchObject({ issues: [{ path }] });
  });

  test('is refused where a type is not registered, with the name that is nearly the same', async () => {
    const tenant = await Tenant.in(longhaul);
    const work = tenant.claim({ types: ['transcribe', 'fingerprints'], waitSeconds: 30 });
    const { issues } = await refusal(ValidationError, work);
    const message = expect.stringContaining('Did you mean "fingerprint"?');
    expect(issues).toEqual([{ path: ['types', '1'], message }]);
  });
});

/** A claimer whose safety net is switched off, so that only wake-ups can answer it. */
async function claimerWithoutPoll(): Promise<Claimer> {
  const claimer = rivalClaimer(longhaul);
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  try {
    await claimer.start();
  } finally {
    vi.useRealTimers();
  }
  onTestFinished(() => claimer.stop());
  return claimer;
}

/** A claim that has looked once, found nothing, and waits. */
async function waitingClaim(tenant: Tenant, signal: AbortSignal | null = null) {
  const claimer = await claimerWithoutPoll();
  const claim = { ...usualClaim, limit: 10 };
  const answer = claimer
    .claim(tenant.id, { ...claim, waitSeconds: 30 }, signal)
    .then((attempts) => ids(attempts.map(held)));
  // Asks in the same statement, and is answered when that has found nothing for either.
  expect(await claimer.claim(tenant.id, claim)).toEqual([]);
  return { answer };
}

/** Until claims of the workspace that came before have looked once: whoever asks now is answered with them or after them. */
async function haveLooked(tenant: Tenant): Promise<void> {
  expect(await tenant.claim({ workerId: 'who looks, too' })).toEqual([]);
}

describe('a waiting claim is answered', () => {
  test('when a job is created', async () => {
    const tenant = await Tenant.in(longhaul);
    const { answer } = await waitingClaim(tenant);
    const { id } = await tenant.create();
    expect(await answer).toEqual([id]);
  });

  test('when a job becomes due', async () => {
    const tenant = await Tenant.in(longhaul);
    const { id } = await tenant.create({ runAt: inOneHour() });
    const { answer } = await waitingClaim(tenant);
    await becomeDue(longhaul, id);
    expect(await answer).toEqual([id]);
  });

  test('when another worker hands a job back', async () => {
    const tenant = await Tenant.in(longhaul);
    const { id } = await tenant.create();
    const [started] = await tenant.claim({ workerId: 'another' });
    const { answer } = await waitingClaim(tenant);
    await tenant.release(started?.token ?? '');
    expect(await answer).toEqual([id]);
  });

  test('with nothing when its own worker hands a job back, because that is about to stop', async () => {
    const tenant = await Tenant.in(longhaul);
    const { job, token } = await tenant.running({ maxAttempts: 1 });
    // On another process, and on that which the release comes to.
    const { answer } = await waitingClaim(tenant);
    const here = tenant.claim({ waitSeconds: 30 });
    const another = tenant.claim({ workerId: 'another', waitSeconds: 30 });
    await haveLooked(tenant);
    await tenant.release(token);
    expect(await here).toEqual([]);
    expect(await answer).toEqual([]);
    const [started] = await another;
    expect(started?.job).toMatchObject({ id: job.id, attempt: 2, failedAttempts: 0 });
    // The same worker may go on all the same.
    await tenant.release(started?.token ?? '');
    expect(ids(await tenant.claim())).toEqual([job.id]);
  });

  test('when a job of the workspace ends and its limit lets another one start', async () => {
    const tenant = await Tenant.in(longhaul, { concurrencyLimit: 1 });
    const { token } = await tenant.running({ type: 'transcribe' });
    const { id } = await tenant.create();
    const { answer } = await waitingClaim(tenant);
    await tenant.complete(token);
    expect(await answer).toEqual([id]);
  });

  test('with nothing when its process stops', async () => {
    const tenant = await Tenant.in(longhaul);
    const claimer = await claimerWithoutPoll();
    const answer = claimer.claim(tenant.id, { ...usualClaim, waitSeconds: 30 });
    await claimer.stop();
    expect(await answer).toEqual([]);
    expect(await claimer.claim(tenant.id, usualClaim)).toEqual([]);
  });
});

describe('a worker that hands its job back while a claim of it still waits', () => {
  const places = [
    {
      where: 'the same process',
      wait: async (tenant: Tenant) => {
        const answer = tenant.claim({ waitSeconds: 30 }).then(ids);
        await haveLooked(tenant);
        return { answer };
      },
    },
    { where: 'another process', wait: (tenant: Tenant) => waitingClaim(tenant) },
  ];
  test.each(places)('at $where: the claim ends with nothing, and the job waits for others at no cost of an attempt', async ({ wait }) => {
    const tenant = await Tenant.in(longhaul);
    const { job, token } = await tenant.running();
    const { answer } = await wait(tenant);
    await tenant.release(token);
    expect(await answer).toEqual([]);
    expect(await tenant.read(job.id)).toMatchObject({ status: 'PENDING', attempt: 1, failedAttempts: 0 });
    expect(ids(await tenant.claim({ workerId: 'another', waitSeconds: 30 }))).toEqual([job.id]);
  });
});

describe('a claim whose worker has left', () => {
  test('ends with nothing, and takes no job that comes later', async () => {
    const tenant = await Tenant.in(longhaul);
    const worker = new AbortController();
    const { answer } = await waitingClaim(tenant, worker.signal);
    worker.abort();
    expect(await answer).toEqual([]);
    await tenant.create();
    expect(await tenant.claim()).toMatchObject([{ job: { attempt: 1 } }]);
  });

  test('before it asked takes nothing', async () => {
    const tenant = await Tenant.in(longhaul);
    await tenant.create();
    expect(await tenant.claim({}, AbortSignal.abort())).toEqual([]);
    expect(await tenant.claim()).toMatchObject([{ job: { attempt: 1 } }]);
  });

  test('just before its answer came hands the job back, and the attempt does not count', async () => {
    const tenant = await Tenant.in(longhaul);
    const worker = new AbortController();
    const context = contextOf(longhaul);
    const leaving: JobsContext = {
      ...context,
      database: observed(context.database, ({ sql }) => {
        if (sql.includes('INSERT INTO lease')) worker.abort();
      }),
    };
    const { id } = await tenant.create();
    const answer = rivalClaimer(longhaul, leaving).claim(tenant.id, usualClaim, worker.signal);
    expect(await answer).toEqual([]);
    expect(await tenant.claim({ waitSeconds: 30 })).toMatchObject([{ job: { id, attempt: 2, failedAttempts: 0 } }]);
  });
});
