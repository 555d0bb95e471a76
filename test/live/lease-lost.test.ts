import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import type { Bus } from '../../src/bus/bus.ts';
import { createMemoryBus } from '../../src/bus/memory-bus.ts';
import { LostLeases } from '../../src/jobs/claim/lost-leases.ts';
import { silentLog } from '../../src/log.ts';
import { LeaseLostDocument, type LeaseLostSubscription } from '../graphql/generated/graphql.ts';
import { next, transports, type Watch, watchSocket } from '../support/client.ts';
import { becomeDue, endLease, type HeldJob, sweep, Tenant } from '../support/domain.ts';
import { eventually } from '../support/eventually.ts';
import { untilFigures } from '../support/figures.ts';
import { type Longhaul, sharedLonghaul, type TestWorkspace } from '../support/longhaul.ts';
import { globalId } from '../support/steps.ts';

let longhaul: Longhaul;
let workspace: TestWorkspace;
let tenant: Tenant;
beforeAll(async () => {
  longhaul = await sharedLonghaul();
  workspace = await longhaul.workspace();
  tenant = Tenant.of(longhaul, workspace.id);
});
afterAll(() => longhaul.stop());

/** A key and its id. */
async function makeKey(scopes: ('READ' | 'WRITE' | 'WORK')[] = ['WORK']): Promise<{ secret: string; id: string }> {
  const secret = await workspace.key({ scopes });
  const found = await longhaul.services.authenticator.find(secret);
  return { secret, id: found?.id ?? '' };
}

async function claimWith(apiKeyId: string, workerId = 'gpu-1'): Promise<HeldJob> {
  const { id, type } = await tenant.create();
  const [held] = await tenant.claim({ types: [type], jobIds: [id], apiKeyId, workerId });
  if (held === undefined) throw new Error('The job could not be claimed.');
  return held;
}

/** Subscribes, and waits until what happens from now on is heard. */
async function listen(secret: string, workerId = 'gpu-1', watch = watchSocket): Promise<Watch<LeaseLostSubscription>> {
  const { jobs } = longhaul.services;
  const others = jobs.watched.workers;
  const lost = watch(longhaul.url, secret, LeaseLostDocument, { workerId });
  onTestFinished(async () => {
    await lost.return?.();
    await eventually(() => expect(jobs.watched.workers).toBe(0));
  });
  await eventually(() => expect(jobs.watched.workers).toBe(others + 1));
  return lost;
}

async function nextLost(lost: Watch<LeaseLostSubscription>) {
  return (await next(lost)).leaseLost;
}

/** How a lease is lost, and what its worker is told. */
const losses = {
  'the job was cancelled': { reason: 'CANCELLED', status: 'CANCELLED', lose: ({ job }: HeldJob) => tenant.cancel(job.id) },
  'its worker was silent': { reason: 'EXPIRED', status: 'PENDING', lose: ({ job }: HeldJob) => expire(job.id) },
  'it took too long': {
    reason: 'TIMEOUT',
    status: 'PENDING',
    lose: async ({ job }: HeldJob) => {
      await longhaul.services.database.hot.query('UPDATE lease SET deadline_at = now() WHERE job_id = $1', [job.id]);
      await expire(job.id);
    },
  },
};

async function expire(jobId: string): Promise<void> {
  await endLease(longhaul, jobId);
  await sweep(longhaul);
}

describe.each(transports)('over $over', ({ watch }) => {
  test.each(Object.entries(losses))('a worker is told that %s, also of what was claimed before it listened', async (_how, { lose, reason, status }) => {
    const key = await makeKey();
    const before = await claimWith(key.id);
    const lost = await listen(key.secret, 'gpu-1', watch);
    const held = [before, await claimWith(key.id)];
    for (const each of held) {
      await lose(each);
      const expected = { jobId: globalId(each.job), job: { id: globalId(each.job), status }, attempt: 1, token: each.token, reason };
      expect(await nextLost(lost)).toEqual(expected);
    }
  });
});

test('nobody is told of what a worker ended itself, and a worker of nothing but its own', async () => {
  const [key, other] = [await makeKey(), await makeKey()];
  const lost = await listen(key.secret);
  await tenant.complete((await claimWith(key.id)).token);
  await tenant.fail((await claimWith(key.id)).token);
  await tenant.release((await claimWith(key.id)).token);
  await tenant.cancel((await claimWith(other.id)).job.id);
  await tenant.cancel((await claimWith(key.id, 'gpu-2')).job.id);
  await tenant.cancel((await tenant.running()).job.id);
  const own = await claimWith(key.id);
  await tenant.cancel(own.job.id);
  expect(await nextLost(lost)).toMatchObject({ token: own.token });
});

test('two processes of one name with one key are told alike', async () => {
  const key = await makeKey();
  const both = [await listen(key.secret), watchSocket(longhaul.url, key.secret, LeaseLostDocument, { workerId: 'gpu-1' })];
  // They share one execution.
  await untilFigures(longhaul, { subscriptions: 2 });
  const held = await claimWith(key.id);
  await tenant.cancel(held.job.id);
  for (const lost of both) {
    expect(await nextLost(lost)).toMatchObject({ token: held.token, reason: 'CANCELLED' });
    await lost.return?.();
  }
});

test('the bus carries no token', async () => {
  const key = await makeKey();
  const message = Promise.withResolvers<string>();
  const unsubscribe = await longhaul.services.bus.subscribe(`lost:${key.id}`, message.resolve);
  const { job } = await claimWith(key.id);
  await tenant.cancel(job.id);
  expect(await message.promise).toBe(`${job.id} 1`);
  unsubscribe();
});

/** Of another process, whose bus has lost every message; `isBack` tells that it is back. */
function behindALostBus(): { lostLeases: LostLeases; isBack: () => Promise<void> } {
  const { log = silentLog, database } = longhaul.services;
  const back: (() => void)[] = [];
  const onReconnect: Bus['onReconnect'] = (listener) => {
    back.push(listener);
    return () => undefined;
  };
  const bus = { ...createMemoryBus({ log }), onReconnect };
  const lostLeases = new LostLeases(database, bus, log);
  lostLeases.start();
  onTestFinished(() => lostLeases.stop());
  return {
    lostLeases,
    isBack: async () => {
      for (const tell of back) tell();
      await lostLeases.loop.settle();
    },
  };
}

test('what ended while messages were lost is told when the bus is back, once; another attempt has begun meanwhile', async () => {
  const key = await makeKey();
  const [cancelled, superseded, released, kept] = [await claimWith(key.id), await claimWith(key.id), await claimWith(key.id), await claimWith(key.id)];
  const { lostLeases, isBack } = behindALostBus();
  const lost = await lostLeases.listen({ apiKeyId: key.id, workerId: 'gpu-1' });
  await isBack();
  await tenant.cancel(cancelled.job.id);
  await tenant.release(released.token);
  await expire(superseded.job.id);
  await becomeDue(longhaul, superseded.job.id);
  await tenant.start(await tenant.read(superseded.job.id));
  await isBack();
  const told = [(await lost.next()).value, (await lost.next()).value].toSorted((a, b) => ((a?.jobId ?? '') < (b?.jobId ?? '') ? -1 : 1));
  expect(told).toMatchObject([
    { jobId: cancelled.job.id, attempt: 1, reason: 'CANCELLED', job: { status: 'CANCELLED' } },
    { jobId: superseded.job.id, attempt: 1, reason: 'SUPERSEDED', job: null },
  ]);
  await isBack();
  await tenant.cancel(kept.job.id);
  await isBack();
  expect((await lost.next()).value).toMatchObject({ jobId: kept.job.id });
});

describe('it is refused', () => {
  const document = 'subscription ($workerId: String!) { leaseLost(workerId: $workerId) { attempt job { FIELD } } }';
  const codesOf = async (secret: string, { workerId = 'gpu-1', field = 'id' } = {}) => {
    const response = await fetch(`${longhaul.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'text/event-stream', authorization: `Bearer ${secret}` },
      body: JSON.stringify({ query: document.replace('FIELD', field), variables: { workerId } }),
    });
    return /"code":"\w+"/.exec(await response.text())?.[0];
  };

  test('to keys without WORK, to access tokens, and what needs READ to who lacks it', async () => {
    const key = await makeKey(['READ', 'WRITE']);
    expect(await codesOf(key.secret)).toContain('FORBIDDEN');
    const make = 'mutation { createAccessToken(input: { tag: "t" }) { ... on CreateAccessTokenPayload { token } } }';
    const { data } = await longhaul.graphql(make, {}, await workspace.key());
    expect(await codesOf(/"token":"([^"]+)"/.exec(JSON.stringify(data))?.[1] ?? '')).toContain('FORBIDDEN');
    expect(await codesOf((await makeKey(['WORK'])).secret, { field: 'input' })).toContain('FORBIDDEN');
  });

  test.each([['empty', ''], ['too long', 'w'.repeat(201)], ['no text', 'a\0b']])('with a name that is %s', async (_what, workerId) => {
    expect(await codesOf((await makeKey()).secret, { workerId })).toContain('BAD_USER_INPUT');
  });
});
