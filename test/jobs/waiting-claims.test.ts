import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { LonghaulError } from '../../src/errors.ts';
import type { Claim } from '../../src/jobs/claim/claim-request.ts';
import type { Claimer } from '../../src/jobs/claim/claimer.ts';
import { contextOf, refusal, rivalClaimer, Tenant, usualRequest } from '../support/domain.ts';
import { untilFigures } from '../support/figures.ts';
import { type Longhaul, startLonghaul } from '../support/longhaul.ts';
import { observed } from '../support/observed-database.ts';

const limit = 3;

let longhaul: Longhaul;
beforeAll(async () => {
  longhaul = await startLonghaul({ MAX_WAITING_CLAIMS_PER_KEY: String(limit) });
});
afterAll(() => longhaul.stop());

const usualClaim = { types: [usualRequest.type], workerId: 'worker' } satisfies Claim;

/** The claimer of another process, and whose claims its statements were for. */
function watchedClaimer(maxWaitingClaimsPerKey: number): { claimer: Claimer; served: unknown[] } {
  const served: unknown[] = [];
  const context = contextOf(longhaul);
  const claimer = rivalClaimer(longhaul, {
    ...context,
    limits: { ...context.limits, maxWaitingClaimsPerKey },
    database: observed(context.database, ({ sql, parameters }) => {
      if (sql.includes('INSERT INTO lease')) served.push(parameters.find((each) => typeof each === 'string' && scopes.has(each)));
    }),
  });
  onTestFinished(() => claimer.stop());
  return { claimer, served };
}

const scopes = new Set<string>();

async function tenants(count: number): Promise<Tenant[]> {
  const made = await Promise.all(Array.from({ length: count }, () => Tenant.in(longhaul)));
  for (const { id } of made) scopes.add(id);
  return made;
}

test("a hundred different claims of one key delay another key's by one statement", async () => {
  const [many, one] = await tenants(2);
  const { claimer, served } = watchedClaimer(100);
  const flood = Array.from({ length: 100 }, () =>
    claimer.claim(many?.id ?? '', { ...usualClaim, apiKeyId: many?.id, jobIds: [randomUUID()] }),
  );
  expect(await claimer.claim(one?.id ?? '', { ...usualClaim, apiKeyId: one?.id })).toEqual([]);
  expect(served.indexOf(one?.id)).toBe(1);
  await Promise.all(flood);
  expect(served).toHaveLength(101);
});

test('what a hundred keys ask for in turn is served in turn, also where one of them asks for more', async () => {
  const [many, ...others] = await tenants(10);
  const { claimer, served } = watchedClaimer(100);
  const ask = (tenant: Tenant | undefined) =>
    claimer.claim(tenant?.id ?? '', { ...usualClaim, apiKeyId: tenant?.id, jobIds: [randomUUID()] });
  await Promise.all([...Array.from({ length: 50 }, () => ask(many)), ...others.flatMap((each) => [ask(each), ask(each)])]);
  for (const { id } of others) expect(served.lastIndexOf(id)).toBeLessThan(20);
});

test('of claims that one statement cannot serve, those that came first have their jobs first, and none is left', async () => {
  const [tenant] = await tenants(1);
  const { claimer } = watchedClaimer(1_000);
  const claims = Array.from({ length: 250 }, () => claimer.claim(tenant?.id ?? '', { ...usualClaim, apiKeyId: tenant?.id, waitSeconds: 30 }));
  await claimer.claim(tenant?.id ?? '', usualClaim);
  const jobs = await tenant?.createAll(Array.from({ length: 250 }, () => ({})));
  // Not started, so it hears of nothing: a claim that comes wakes it.
  await claimer.start();
  const started = (await Promise.all(claims)).map(([first]) => first?.job.id);
  expect(started.toSorted()).toEqual(jobs?.map(({ id }) => id).toSorted());
});

describe('a key with as many waiting claims as it may have', () => {
  test('has its next one refused, keeps no other key from waiting, and gets each place back', async () => {
    const [tenant] = await tenants(1);
    const { claimer } = watchedClaimer(limit);
    const [key, another] = [randomUUID(), randomUUID()];
    const wait = (apiKeyId: string | null, signal?: AbortSignal) =>
      claimer.claim(tenant?.id ?? '', { ...usualClaim, apiKeyId, waitSeconds: 30 }, signal);
    const leaving = new AbortController();
    const waiting = [wait(key), wait(key), wait(key, leaving.signal)];
    expect(await refusal(LonghaulError, wait(key))).toMatchObject({ code: 'RATE_LIMITED', message: expect.stringMatching(/^3 claims/) });
    waiting.push(wait(another), wait(null));
    leaving.abort();
    expect(await waiting[2]).toEqual([]);
    waiting.push(wait(key));
    await refusal(LonghaulError, wait(key));
    await claimer.stop();
    await Promise.all(waiting);
  });

  test('is told so with 429, and the metrics show how many wait', async () => {
    const workspace = await longhaul.workspace();
    const key = await workspace.key();
    const claim = (waitSeconds: number) =>
      longhaul.graphql(
        'mutation ($input: ClaimJobsInput!) { claimJobs(input: $input) { ... on ClaimJobsPayload { leases { token } } } }',
        { input: { ...usualClaim, waitSeconds } },
        key,
      );
    const waiting = Array.from({ length: limit }, () => claim(30));
    await untilFigures(longhaul, { waiting_claims: limit });
    expect(await claim(0)).toMatchObject({ status: 429, errors: [{ extensions: { code: 'RATE_LIMITED', retryAfter: 5 } }] });
    const tenant = Tenant.of(longhaul, workspace.id);
    await tenant.createAll(Array.from({ length: limit }, () => ({})));
    for (const answer of await Promise.all(waiting)) expect(answer).toMatchObject({ status: 200, data: { claimJobs: { leases: [{}] } } });
    await untilFigures(longhaul, { waiting_claims: 0 });
    expect(await claim(0)).toMatchObject({ status: 200, data: { claimJobs: { leases: [] } } });
  });
});
