import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { App } from '../../../src/server/app.ts';
import { p99OfClaims, queueFor } from '../claim-times.ts';
import { startDomain } from '../domain.ts';
import { fillHistory } from '../history.ts';
import { empty, type Installation, settle } from '../installation.ts';
import type { Sample } from '../measure.ts';
import { Stops } from '../stops.ts';
import type { Case } from './case.ts';

/** One came every 100 ms, so five of six are older than a day. */
const jobs = 5_000_000;

/** Creations a second meanwhile, a batch at a time. */
const createdPerSecond = 500;
const batch = 50;

interface Round {
  claims: Sample;
  removed: number;
  created: number;
}

/**
 * Removing jobs that ended more than a day ago, from a table of five million, while 500 a second are created: how fast it is, and
 * what it does to claims.
 */
export const retention: Case = async (installation) => {
  // Makes the tables.
  const migrating = new Stops();
  await startDomain(installation, migrating);
  await migrating.run();
  await empty(installation);
  await fillHistory(installation, { workspaceId: randomUUID(), jobs });
  const claiming = await queueFor(installation, 'export', 200_000);
  await settle(installation);
  const { rows } = await installation.admin.query<{ name: string; bytes: string }>(
    `SELECT relname AS name, pg_total_relation_size(oid)::text AS bytes FROM pg_class WHERE relname IN ('job', 'job_attempt', 'job_tag')`,
  );
  for (const { name, bytes } of rows) process.stdout.write(`${name}: ${Math.round(Number(bytes) / jobs)} bytes a job\n`);
  const round = (days: number, seconds: number) => run(installation, { claiming, days, seconds });
  return [
    {
      title: 'claims beside 500 creations a second',
      unit: 'ms p99',
      aim: { text: '≤ 1.2', reached: (ratio) => ratio <= 1.2 },
      sides: [
        { name: 'while old jobs are removed', round: async (seconds) => (await round(1, seconds)).claims },
        { name: 'while none are', round: async (seconds) => (await round(0, seconds)).claims },
      ],
    },
    {
      title: 'jobs removed and created',
      unit: 'jobs/s',
      aim: { text: '> 1', reached: (ratio) => ratio > 1 },
      sides: [
        {
          name: 'removed',
          round: async (seconds) => {
            const made = await round(1, seconds);
            return sample(made.removed / seconds, made);
          },
        },
        {
          name: 'created',
          round: async (seconds) => {
            const made = await round(1, seconds);
            return sample(made.created / seconds, made);
          },
        },
      ],
    },
  ];
};

function sample(value: number, { claims }: Round): Sample {
  return { value, count: claims.count, cpu: null, postgresCpu: null };
}

async function run(installation: Installation, { claiming, days, seconds }: { claiming: string; days: number; seconds: number }): Promise<Round> {
  const stops = new Stops();
  const app = await startDomain({ ...installation, env: { ...installation.env, RETENTION_DAYS: String(days) } }, stops);
  try {
    // As a server's, after its first second.
    await delay(1_000);
    const before = await count(installation);
    const end = performance.now() + seconds * 1_000;
    const goesOn = () => performance.now() < end;
    const [claims, created] = await Promise.all([p99OfClaims(app, claiming, 'export', goesOn), create(app, claiming, goesOn)]);
    return { claims, created, removed: before + created - (await count(installation)) };
  } finally {
    await stops.run();
  }
}

async function create({ services }: App, workspaceId: string, goesOn: () => boolean): Promise<number> {
  const request = { type: 'comments', input: { sourceUrl: 'https://media.example.com/a.mp4' } };
  let created = 0;
  for (let next = performance.now(); goesOn(); next += (1_000 * batch) / createdPerSecond) {
    await delay(Math.max(0, next - performance.now()));
    await services.jobs.createMany(workspaceId, Array.from({ length: batch }, () => request), { dialect: 'NATIVE' });
    created += batch;
  }
  return created;
}

async function count({ admin }: Installation): Promise<number> {
  const { rows } = await admin.query<{ jobs: number }>('SELECT count(*)::int AS jobs FROM job');
  return rows[0]?.jobs ?? 0;
}
