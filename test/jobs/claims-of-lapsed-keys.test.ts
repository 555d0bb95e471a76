import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Job } from '../../src/jobs/model/job.ts';
import { revokeApiKey } from '../../src/workspaces/revoke-api-key.ts';
import { Tenant, usualRequest } from '../support/domain.ts';
import { untilFigures } from '../support/figures.ts';
import { type Longhaul, sharedLonghaul } from '../support/longhaul.ts';
import { RawSocket } from '../support/raw-socket.ts';

let longhaul: Longhaul;
beforeAll(async () => {
  longhaul = await sharedLonghaul();
});
afterAll(() => longhaul.stop());

const query = `mutation ($claim: ClaimJobsInput!, $create: CreateJobInput!) {
  claimJobs(input: $claim) { ... on ClaimJobsPayload { leases { token job { input } } } }
  createJob(input: $create) { __typename }
}`;
const afterwards = 'created-after-the-claim';
/** A claim that waits to its end is answered with no job, and no error. How soon it ends with its key, `revocation.slow.test.ts` measures. */
const variables = {
  claim: { types: [usualRequest.type], workerId: 'worker', waitSeconds: 30 },
  create: { ...usualRequest, tags: [afterwards] },
};

const revocations: { how: string; revoke: (apiKeyId: string) => Promise<unknown> }[] = [
  { how: 'told to everybody', revoke: (id) => revokeApiKey(longhaul.services.database, longhaul.services.authenticator, id) },
  {
    how: 'of which no message arrives',
    revoke: (id) => longhaul.services.database.hot.query('UPDATE api_key SET revoked_at = now() WHERE id = $1', [id]),
  },
];

async function tenantWithKey(): Promise<{ tenant: Tenant; key: string }> {
  const workspace = await longhaul.workspace();
  return { tenant: Tenant.of(longhaul, workspace.id), key: await workspace.key() };
}

/** Nobody but another worker has had the job, and nothing else was done. */
async function expectUntouched(tenant: Tenant, job: Job): Promise<void> {
  expect(await longhaul.services.jobs.find(tenant.id, job.id)).toMatchObject({ status: 'PENDING', attempt: 0, version: 1 });
  expect(await longhaul.services.database.reads.query('SELECT FROM job_tag WHERE workspace_id = $1 AND tag = $2', [tenant.id, afterwards])).toEqual([]);
  expect(await tenant.claim()).toMatchObject([{ job: { id: job.id, attempt: 1 } }]);
  await untilFigures(longhaul, { waiting_claims: 0, watched_credentials: 0 });
}

describe.each(revocations)('after a revocation $how', ({ revoke }) => {
  /** Revokes the key as soon as its claim waits, and creates a job for it. */
  async function revokeWhileWaiting(tenant: Tenant, key: string): Promise<Job> {
    await untilFigures(longhaul, { waiting_claims: 1 });
    const found = await longhaul.services.authenticator.find(key);
    await revoke(found?.id ?? '');
    return tenant.create();
  }

  test('a claim that waits ends with UNAUTHENTICATED, and neither it nor what follows it in its document does anything', async () => {
    const { tenant, key } = await tenantWithKey();
    const claim = longhaul.graphql(query, variables, key);
    const job = await revokeWhileWaiting(tenant, key);
    expect(await claim).toMatchObject({
      status: 401,
      data: { claimJobs: null, createJob: null },
      errors: ['claimJobs', 'createJob'].map((path) => ({ path: [path], message: expect.stringContaining('revoked'), extensions: { code: 'UNAUTHENTICATED' } })),
    });
    await expectUntouched(tenant, job);
  });

  test('a claim that waits on a socket ends with it, although the client does not answer the close frame', async () => {
    const { tenant, key } = await tenantWithKey();
    const socket = await RawSocket.open(longhaul.url, key);
    socket.subscribe('1', { query, variables });
    const job = await revokeWhileWaiting(tenant, key);
    socket.ws.pause();
    await untilFigures(longhaul, { waiting_claims: 0 });
    socket.ws.resume();
    expect(await socket.closed).toBe(4401);
    await expectUntouched(tenant, job);
  });

  test('a key that is in force goes on waiting', async () => {
    const { tenant, key } = await tenantWithKey();
    const { key: another } = await tenantWithKey();
    const claim = longhaul.graphql(query, variables, key);
    await untilFigures(longhaul, { waiting_claims: 1 });
    const lapsing = longhaul.graphql(query, variables, another);
    await untilFigures(longhaul, { waiting_claims: 2 });
    await revoke((await longhaul.services.authenticator.find(another))?.id ?? '');
    expect((await lapsing).status).toBe(401);
    await tenant.create();
    expect(await claim).toMatchObject({ status: 200, data: { claimJobs: { leases: [{ job: { input: usualRequest.input } }] }, createJob: {} } });
  });
});
