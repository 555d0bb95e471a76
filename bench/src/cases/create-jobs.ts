import pg from 'pg';
import { v7 as uuidv7 } from 'uuid';
import { domainRound } from '../domain.ts';
import { defaultWorkspace, empty, type Installation, poolSize, settle } from '../installation.ts';
import { connections, type Load } from '../load.ts';
import type { Sample } from '../measure.ts';
import { loadRound, startLonghaul } from '../servers.ts';
import type { Case } from './case.ts';

const size = 100;
const input = { sourceUrl: 'https://media.example.com/videos/1.mp4', language: 'en' };
const query = `mutation Create($input: CreateJobsInput!) {
  createJobs(input: $input) { __typename ... on CreateJobsPayload { jobs { id } } }
}`;

/** A hundred jobs in one GraphQL call, compared with a hundred rows in one INSERT, without HTTP and GraphQL. */
export const createJobs: Case = async (installation, stops) => {
  const longhaul = await startLonghaul(installation, stops);
  const workspaceId = await defaultWorkspace(installation);
  const pool = new pg.Pool({ connectionString: installation.databaseUrl, max: poolSize });
  stops.push(() => pool.end());

  return [
    {
      title: `createJobs of ${size}`,
      unit: 'jobs/s',
      aim: { text: '≥ 20,000 jobs/s or ≥ 0.5', reached: (ratio, jobs) => jobs >= 20_000 || ratio >= 0.5 },
      sides: [
        {
          name: 'Longhaul',
          round: (seconds) =>
            onEmpty(installation, () => loadRound(installation, longhaul, load, { seconds, perAnswer: size })),
        },
        {
          name: 'bare INSERT',
          round: (seconds) =>
            onEmpty(installation, () => domainRound(installation, () => insert(pool, workspaceId, seconds))),
        },
      ],
    },
  ];
};

async function onEmpty(installation: Installation, work: () => Promise<Sample>): Promise<Sample> {
  await empty(installation);
  await settle(installation);
  return work();
}

const text = JSON.stringify({
  query,
  variables: { input: { jobs: Array.from({ length: size }, () => ({ type: 'analysis', input })) } },
});

const load: Load = {
  body: () => text,
  check: (data) => {
    const { createJobs: result }: { createJobs?: { jobs?: object[] } } = Object(data);
    if (result?.jobs?.length !== size) throw new Error(`not created: ${JSON.stringify(data)}`);
  },
};

const statement = {
  name: 'insert',
  text: `INSERT INTO job (id, workspace_id, type, input, max_attempts, credits_charged)
         VALUES ${Array.from({ length: size }, (_, row) => `(${[1, 2, 3, 4, 5, 6].map((place) => `$${row * 6 + place}`).join(', ')})`).join(', ')}`,
};

/** Runs as many calls at once as the load on Longhaul does. */
async function insert(pool: pg.Pool, workspaceId: string, seconds: number): Promise<number> {
  const end = performance.now() + seconds * 1_000;
  const caller = async () => {
    let jobs = 0;
    while (performance.now() < end) {
      const values = Array.from({ length: size }, () => [uuidv7(), workspaceId, 'analysis', JSON.stringify(input), 3, 1]);
      await pool.query({ ...statement, values: values.flat() });
      jobs += size;
    }
    return jobs;
  };
  const counts = await Promise.all(Array.from({ length: connections }, caller));
  return counts.reduce((sum, count) => sum + count, 0);
}
