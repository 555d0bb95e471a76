import { randomUUID } from 'node:crypto';
import pg from 'pg';
import type { App } from '../../../src/server/app.ts';
import { encodeLeaseToken } from '../../../src/jobs/claim/lease-token.ts';
import { domainRound, startDomain } from '../domain.ts';
import { defaultWorkspace, empty, type Installation, poolSize, settle } from '../installation.ts';
import { type Comparison, none, type Sample } from '../measure.ts';
import { walOf } from '../wal.ts';
import type { Case } from './case.ts';

const type = 'analysis';
/** About 300 bytes as JSON, most of it a signed URL. */
const input = {
  sourceUrl:
    'https://media.example.com/uploads/2026/11/26/0f5c9a1e-4b7d-4c1e-9d53-7a0f2d6e8b14/interview-final-cut.mp4' +
    '?expires=1795708800&key=AKIAIOSFODNN7EXAMPLE&signature=9f2b1c7d5e8a4f60b3d2c1a0e9f8d7c6b5a4f3e2d1c0b9a8f7e6d5c4b3a29180',
  language: 'en',
};
const output = { scenes: 42, summary: 'A house by the sea.' };
const reports = [10, 45, 90].map((percentage) => ({ step: 'analysing', message: `Analysed ${percentage} of 100 scenes`, percentage }));

/** One job from its creation to its end. */
type Life = () => Promise<void>;

/**
 * What Postgres writes and works for a job's whole life: created and charged, claimed, reported on three times, completed.
 * Beside it one bare row that is inserted and updated five times, without charge, lease, tag, attempt or log.
 */
export const jobLife: Case = async (installation, stops) => {
  const longhaul = longhaulLife(await startDomain(installation, stops), await defaultWorkspace(installation));
  const pool = new pg.Pool({ connectionString: installation.databaseUrl, max: poolSize });
  pool.on('error', () => undefined);
  stops.push(() => pool.end());
  await pool.query(
    `CREATE TABLE IF NOT EXISTS bare_job (id uuid PRIMARY KEY, type text, input jsonb, tags text[], status text, worker text,
       step text, message text, percentage float8, output jsonb, updated_at timestamptz) WITH (fillfactor = 80)`,
  );
  const compare = (title: string, atOnce: number): Comparison => ({
    title,
    unit: 'bytes of WAL',
    aim: none,
    sides: [
      { name: 'Longhaul', round: (seconds) => round(installation, longhaul, { atOnce, seconds }) },
      { name: 'a bare row', round: (seconds) => round(installation, bareLife(pool), { atOnce, seconds }) },
    ],
  });
  return [
    compare("a job's life, one at a time", 1),
    compare("a job's life, 32 at a time", 32),
  ];
};

function longhaulLife({ services: { jobs } }: App, workspaceId: string): Life {
  return async () => {
    await jobs.create(workspaceId, { type, input, tags: ['project-7'] }, { dialect: 'NATIVE' });
    const [started] = await jobs.claim(workspaceId, { types: [type], workerId: 'worker-17' });
    if (started === undefined) throw new Error('there was no job to claim');
    const token = encodeLeaseToken({ jobId: started.job.id, token: started.token });
    for (const report of reports) await jobs.report(workspaceId, { token, ...report });
    await jobs.complete(workspaceId, { token, output });
  };
}

function bareLife(pool: pg.Pool): Life {
  return async () => {
    const id = randomUUID();
    const query = (text: string, values: unknown[]) => pool.query({ name: text.slice(0, 40), text, values: [id, ...values] });
    await query(`INSERT INTO bare_job VALUES ($1, $2, $3, $4, 'PENDING')`, [type, input, ['project-7']]);
    await query(`UPDATE bare_job SET status = 'RUNNING', worker = $2, updated_at = now() WHERE id = $1`, ['worker-17']);
    for (const { step, message, percentage } of reports) {
      await query('UPDATE bare_job SET step = $2, message = $3, percentage = $4, updated_at = now() WHERE id = $1', [
        step,
        message,
        percentage,
      ]);
    }
    await query(`UPDATE bare_job SET status = 'COMPLETED', output = $2, updated_at = now() WHERE id = $1`, [output]);
  };
}

async function round(
  installation: Installation,
  life: Life,
  { atOnce, seconds }: { atOnce: number; seconds: number },
): Promise<Sample> {
  await empty(installation);
  await installation.admin.query('TRUNCATE job_change, bare_job');
  await settle(installation);
  // Every connection plans its statements anew after that.
  await lives(life, 32, 0.5);
  let sample: Sample | null = null;
  const wal = await walOf(installation, async () => {
    sample = await domainRound(installation, () => lives(life, atOnce, seconds));
  });
  if (sample === null) throw new Error('the round measured nothing');
  const { count, cpu, postgresCpu }: Sample = sample;
  return { value: wal / count, count, cpu, postgresCpu };
}

async function lives(life: Life, atOnce: number, seconds: number): Promise<number> {
  const end = performance.now() + seconds * 1_000;
  const one = async () => {
    let lived = 0;
    for (; performance.now() < end; lived += 1) await life();
    return lived;
  };
  const counts = await Promise.all(Array.from({ length: atOnce }, one));
  return counts.reduce((sum, count) => sum + count, 0);
}
