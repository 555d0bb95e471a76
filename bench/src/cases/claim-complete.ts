import { PgBoss } from 'pg-boss';
import type { App } from '../../../src/server/app.ts';
import type { Completion } from '../../../src/jobs/end/complete.ts';
import { encodeLeaseToken } from '../../../src/jobs/claim/lease-token.ts';
import { domainRound, startDomain } from '../domain.ts';
import { defaultWorkspace, empty, fill, type Installation, poolSize, settle } from '../installation.ts';
import { atLeast, type Comparison } from '../measure.ts';
import type { Stops } from '../stops.ts';
import type { Case } from './case.ts';

/** Roughly what the faster side finishes per second. A round ends early if it runs out of jobs. */
const jobsPerSecond = { single: 4_000, batch: 16_000 };

const output = { scenes: 42 };
const queue = 'analysis';

/** Takes up to `batch` jobs and completes them; gives how many there were. */
type Turn = (batch: number) => Promise<number>;

/**
 * Workers in this process, each of which takes a batch, completes it and repeats. Longhaul completes each job with its own
 * call, all of a batch at the same time, or the batch with one call, as `completeJobs` does. pg-boss completes a batch in one
 * call unless stated otherwise.
 */
export const claimComplete: Case = async (installation, stops) => {
  const app = await startDomain(installation, stops);
  const workspaceId = await defaultWorkspace(installation);
  const boss = await startPgBoss(installation, stops);
  const eachByItself = longhaulTurn(app, workspaceId, ({ jobs }, completions) =>
    Promise.all(completions.map((completion) => jobs.complete(workspaceId, completion))),
  );
  const together = longhaulTurn(app, workspaceId, ({ jobs }, completions) => jobs.completeMany(workspaceId, completions));
  const atOnce = pgBossTurn(boss, (ids) => boss.complete(queue, ids, output));
  const oneByOne = pgBossTurn(boss, (ids) => Promise.all(ids.map((id) => boss.complete(queue, id, output))));

  const compare = (
    title: string,
    workers: number,
    batch: number,
    { longhaul = eachByItself, pgBoss = atOnce, aim = 1 }: { longhaul?: Turn; pgBoss?: Turn; aim?: number } = {},
  ): Comparison => {
    const jobsFor = (seconds: number) => Math.ceil(seconds * (batch === 1 ? jobsPerSecond.single : jobsPerSecond.batch));
    return {
      title,
      unit: 'jobs/s',
      aim: atLeast(aim),
      sides: [
        {
          name: 'Longhaul',
          round: async (seconds) => {
            await empty(installation);
            await fill(installation, { workspaceId, type: 'analysis', jobs: jobsFor(seconds) });
            await settle(installation);
            return domainRound(installation, () => work(longhaul, { workers, batch, seconds }));
          },
        },
        {
          name: 'pg-boss',
          round: async (seconds) => {
            await fillPgBoss(boss, jobsFor(seconds));
            await settle(installation);
            return domainRound(installation, () => work(pgBoss, { workers, batch, seconds }));
          },
        },
      ],
    };
  };
  return [
    compare('claim + complete, N = 1, 1 worker', 1, 1),
    compare('claim + complete, N = 1, 32 workers', 32, 1),
    compare('claim + complete, N = 50, 4 workers', 4, 50),
    compare('the same, pg-boss completing one by one', 4, 50, { pgBoss: oneByOne }),
    compare('claim + completeJobs, N = 50, 4 workers', 4, 50, { longhaul: together, aim: 0.5 }),
  ];
};

function longhaulTurn(
  { services }: App,
  workspaceId: string,
  complete: (services: App['services'], completions: Completion[]) => Promise<unknown>,
): Turn {
  return async (batch) => {
    const started = await services.jobs.claim(workspaceId, { types: ['analysis'], limit: batch, workerId: 'bench' });
    if (started.length > 0) await complete(services, started.map(({ job, token }) => ({ token: encodeLeaseToken({ jobId: job.id, token }), output })));
    return started.length;
  };
}

function pgBossTurn(boss: PgBoss, complete: (ids: string[]) => Promise<unknown>): Turn {
  return async (batch) => {
    const jobs = await boss.fetch(queue, { batchSize: batch });
    if (jobs.length > 0) await complete(jobs.map(({ id }) => id));
    return jobs.length;
  };
}

async function work(
  turn: Turn,
  { workers, batch, seconds }: { workers: number; batch: number; seconds: number },
): Promise<number> {
  const end = performance.now() + seconds * 1_000;
  const worker = async () => {
    let jobs = 0;
    while (performance.now() < end) {
      const done = await turn(batch);
      if (done === 0) break;
      jobs += done;
    }
    return jobs;
  };
  const counts = await Promise.all(Array.from({ length: workers }, worker));
  return counts.reduce((sum, count) => sum + count, 0);
}

/** Turns its maintenance off, which would only slow it down. */
async function startPgBoss({ databaseUrl }: Installation, stops: Stops): Promise<PgBoss> {
  const boss = new PgBoss({ connectionString: databaseUrl, max: poolSize, supervise: false, schedule: false });
  boss.on('error', () => undefined);
  await boss.start();
  stops.push(() => boss.stop({ graceful: false }));
  await boss.createQueue(queue);
  return boss;
}

async function fillPgBoss(boss: PgBoss, jobs: number): Promise<void> {
  await boss.deleteAllJobs(queue);
  const data = { sourceUrl: 'https://media.example.com/videos/1.mp4', language: 'en' };
  for (let filled = 0; filled < jobs; filled += 2_000) {
    await boss.insert(queue, Array.from({ length: Math.min(2_000, jobs - filled) }, () => ({ data })));
  }
}
