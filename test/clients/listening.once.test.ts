import { once } from 'node:events';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ClaimJobsDocument } from '../graphql/generated/graphql.ts';
import { ask } from '../support/client.ts';
import { eventually } from '../support/eventually.ts';
import { type Longhaul, sharedLonghaul } from '../support/longhaul.ts';
import { listenOverSocket } from '../support/resuming.ts';
import { globalId, submit } from '../support/steps.ts';

let longhaul: Longhaul;
beforeAll(async () => {
  longhaul = await sharedLonghaul();
});
afterAll(() => longhaul.stop());

test("L1: PROTOCOL.md's worker stops an attempt whose job is cancelled, and no other", async () => {
  const { url, services } = longhaul;
  const workspace = await longhaul.workspace();
  const key = await workspace.key();
  const jobs = [await submit(longhaul, workspace.id), await submit(longhaul, workspace.id)];
  const input = { types: ['comments'], workerId: 'gpu-1', limit: 2, jobIds: jobs.map(globalId) };
  const { claimJobs } = await ask(url, key, ClaimJobsDocument, { input });
  const leases = claimJobs !== null && 'leases' in claimJobs ? claimJobs.leases : [];

  const { client, attempts, listen } = listenOverSocket(url, async () => key);
  for (const { token } of leases) attempts.set(token, new AbortController());
  listen('gpu-1');
  await eventually(() => expect(services.jobs.watched.workers).toBe(1));
  const [cancelled, other] = leases.map(({ job, token }) => ({ job, signal: attempts.get(token)?.signal ?? AbortSignal.abort() }));
  const stopped = once(cancelled?.signal ?? AbortSignal.abort(), 'abort');
  await services.jobs.cancel(workspace.id, cancelled?.job.uuid ?? '');
  await stopped;
  expect(cancelled?.signal.reason).toBe('CANCELLED');
  expect(other?.signal.aborted).toBe(false);
  await client.dispose();
});
