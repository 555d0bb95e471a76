import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { AlreadyFinishedError, ConnectionError, createClient, type Job, type JobHandle } from '../../clients/js/src/index.ts';
import { ways } from '../support/javascript-client.ts';
import { KilledFleet } from '../support/killed-fleet.ts';
import { spawnProgram } from '../support/process.ts';

const program = fileURLToPath(new URL('../support/soaked-worker.ts', import.meta.url));
const jobs = 500;

/** How many seconds a job takes at the least; one that is to be cancelled goes on until then. */
const partsOf = { complete: 6, fail: 6, cancel: 10_000 };

/** Of ten jobs one fails, and one is cancelled while it runs. */
const statuses = { complete: 'COMPLETED', fail: 'FAILED', cancel: 'CANCELLED' } as const;
const endOf = (n: number) => (n % 10 === 3 ? 'fail' : n % 10 === 7 ? 'cancel' : 'complete');

test('500 jobs over three workers, killed at random for three minutes with the api: each ends once, every watcher sees it, and nothing stays with the dead', async () => {
  const fleet = await KilledFleet.start((env) => spawnProgram(process.execPath, [program], env));
  const { installation, url } = fleet;
  // Most watch over sockets; some where none is let through.
  const clients = ways.map(({ options }) => createClient({ ...options, url, auth: installation.adminKey }));
  const [client = createClient({ url, auth: installation.adminKey }), ...others] = clients;
  const watches: Promise<Job['status']>[] = [];
  // A batch at a time, so that there is work for all of the three minutes, and creations meet kills, too.
  const submitted = (async () => {
    while (watches.length < jobs) {
      const ends = Array.from({ length: jobs / 10 }, (_, n) => endOf(watches.length + n));
      const submissions = ends.map((end, n) => ({ type: 'parts', input: { parts: partsOf[end], end }, idempotencyKey: `job ${watches.length + n}` }));
      const handles = await insist(() => client.submitMany(submissions));
      for (const [n, { id }] of handles.entries()) watches.push(endSeen((others[watches.length % 20] ?? client).handle(id), ends[n] === 'cancel'));
      await delay(15_000);
    }
  })();

  const kills = await fleet.killFor(180);
  await submitted;
  const seen = await Promise.all(watches);
  expect(seen).toEqual(watches.map((_, n) => statuses[endOf(n)]));
  expect(await fleet.ends()).toEqual({ jobs, wrong: [], leases: [] });
  expect(kills).toBeGreaterThan(25);
  const [lost] = await installation.query<{ attempts: number; resumed: number }>(`
    SELECT (SELECT count(*)::int FROM job_attempt WHERE outcome = 'EXPIRED') AS attempts,
      (SELECT count(*)::int FROM job WHERE (output->>'begunAt')::int > 0) AS resumed`);
  expect(lost?.attempts).toBeGreaterThan(20);
  expect(lost?.resumed).toBeGreaterThan(10);
}, 900_000);

/** Watches a job, in versions that only grow. @returns how it ended */
async function endSeen(handle: JobHandle, isToBeCancelled: boolean): Promise<Job['status']> {
  let last: Job | null = null;
  for await (const job of handle.updates()) {
    if (last !== null) expect(job.version).toBeGreaterThan(last.version);
    if (isToBeCancelled && job.status === 'RUNNING' && last?.status !== 'RUNNING') await cancel(handle);
    last = job;
  }
  if (last === null) throw new Error('It ended without a version.');
  return last.status;
}

async function cancel(handle: JobHandle): Promise<void> {
  await insist(() => handle.cancel()).catch((error: unknown) => {
    // By a call whose answer was lost.
    if (!(error instanceof AlreadyFinishedError)) throw error;
  });
}

/** Calls until an answer comes: on a busy machine the api may take longer to start than the client goes on. */
async function insist<Answer>(call: () => Promise<Answer>): Promise<Answer> {
  for (;;) {
    try {
      return await call();
    } catch (error) {
      if (!(error instanceof ConnectionError)) throw error;
    }
  }
}
