import { expect, onTestFinished, test, vi } from 'vitest';
import {
  CancelJobDocument,
  ClaimJobsDocument,
  CreateJobDocument,
  LeaseLostDocument,
} from '../graphql/generated/graphql.ts';
import { ask, next, transports } from '../support/client.ts';
import { untilFigures } from '../support/figures.ts';
import { prepareInstallation, type ReadyProcess } from '../support/process.ts';
import { createRedisServer } from '../support/redis-server.ts';

test('workers of one process are told what ends on another, while Redis lives, is dead, and is back', async () => {
  const redis = await createRedisServer();
  await redis.start();
  onTestFinished(() => redis.stop());
  const { adminKey, start, query } = await prepareInstallation({ REDIS_URL: redis.url });
  const [api, other] = await Promise.all([start('api'), start('api')]);
  const watches = transports.map(({ over, watch }) => watch(other.url, adminKey, LeaseLostDocument, { workerId: `over ${over}` }));
  onTestFinished(async () => {
    await Promise.all(watches.map((watch) => watch.return?.()));
  });
  await untilFigures(other, { listening_workers: watches.length });
  const untilHealthy = () => Promise.all([api, other].map(untilBusIsHealthy));
  await untilHealthy();

  /** Claims a job for each worker. */
  const claimAll = () => Promise.all(transports.map(({ over }) => claimFor(api, adminKey, `over ${over}`)));
  const told = async () => (await Promise.all(watches.map(next))).map(({ leaseLost }) => leaseLost);
  const expectTold = async (leases: Lease[], reason: string, within: number) => {
    const since = performance.now();
    expect(await told()).toMatchObject(leases.map(({ job, token }) => ({ jobId: job.id, token, reason, attempt: 1 })));
    expect(performance.now() - since).toBeLessThan(within);
  };

  const alive = await claimAll();
  await cancelAll(api, adminKey, alive);
  await expectTold(alive, 'CANCELLED', 5_000);

  const [dead, silent] = [await claimAll(), await claimAll()];
  // What a worker holds is read every five seconds.
  await query('SELECT pg_sleep(8)');
  await redis.stop();
  await cancelAll(api, adminKey, dead);
  await expectTold(dead, 'CANCELLED', 15_000);
  await query(`UPDATE lease SET expires_at = now() WHERE job_id = ANY($1)`, [silent.map(({ job }) => job.uuid)]);
  await expectTold(silent, 'EXPIRED', 15_000);

  await redis.start();
  await untilHealthy();
  const back = await claimAll();
  await cancelAll(api, adminKey, back);
  await expectTold(back, 'CANCELLED', 15_000);
}, 120_000);

interface Lease {
  token: string;
  job: { id: string; uuid: string };
}

async function claimFor({ url }: ReadyProcess, key: string, workerId: string): Promise<Lease> {
  const input = { type: 'comments', input: { sourceUrl: 'https://example.com/film.mp4' } };
  const { createJob } = await ask(url, key, CreateJobDocument, { input });
  if (createJob === null || 'code' in createJob) throw new Error(`refused: ${JSON.stringify(createJob)}`);
  const { claimJobs } = await ask(url, key, ClaimJobsDocument, { input: { types: ['comments'], jobIds: [createJob.job.id], workerId } });
  const [lease] = claimJobs !== null && 'leases' in claimJobs ? claimJobs.leases : [];
  if (lease === undefined) throw new Error(`refused: ${JSON.stringify(claimJobs)}`);
  return lease;
}

async function cancelAll({ url }: ReadyProcess, key: string, leases: readonly Lease[]): Promise<void> {
  for (const { job } of leases) await ask(url, key, CancelJobDocument, { input: { id: job.id } });
}

async function untilBusIsHealthy({ url }: ReadyProcess): Promise<void> {
  const isHealthy = async () => expect(await (await fetch(`${url}/metrics`)).text()).toMatch(/^longhaul_bus_healthy 1$/m);
  await vi.waitFor(isHealthy, { timeout: 20_000, interval: 20 });
}
