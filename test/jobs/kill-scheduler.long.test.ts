import pg from 'pg';
import { expect, onTestFinished, test } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { type Installation, prepareInstallation } from '../support/process.ts';

const schedules = 900;

/** How many schedules are due, how many jobs they have, and whether each has as many as another. */
interface Figures {
  due: number;
  jobs: number;
  least: number;
  most: number;
}

async function figuresOf({ query }: Installation): Promise<Figures> {
  const [row] = await query<Figures>(
    `SELECT (count(*) FILTER (WHERE schedule.next_run_at <= now()))::int AS due, sum(made.jobs)::int AS jobs, min(made.jobs)::int AS least, max(made.jobs)::int AS most
     FROM schedule CROSS JOIN LATERAL (SELECT count(*) AS jobs FROM job WHERE job.schedule_id = schedule.id) AS made`,
  );
  if (row === undefined) throw new Error('no figures');
  return row;
}

const allAreDue = 'UPDATE schedule SET next_run_at = now()';

test('three processes of which two are killed in the middle create one job for each occurrence', async () => {
  const installation = await prepareInstallation({ INITIAL_CREDITS: '100000' });
  const processes = [await installation.start('api'), await installation.start('worker'), await installation.start('api')];
  const [home] = await installation.query<{ id: string; credits: number }>('SELECT id, credits::int AS credits FROM workspace');
  // Once a year, so that each occurrence is one that this test makes.
  await installation.query(
    `INSERT INTO schedule (id, workspace_id, name, cron, time_zone, overlap, type, input)
     SELECT gen_random_uuid(), $1, n::text, '0 0 1 1 *', 'UTC', 'ALLOW', 'comments', '{"sourceUrl": "https://example.com/a.mp4"}' FROM generate_series(1, $2::int) AS n`,
    [home?.id, schedules],
  );
  const occurred = async (times: number) => {
    await eventually(async () => expect((await figuresOf(installation)).due).toBe(0), 60_000);
    expect(await figuresOf(installation)).toEqual({ due: 0, jobs: schedules * times, least: times, most: times });
  };

  // All three have taken some, and wait with their jobs for the balance. Then one dies.
  const holder = new pg.Client({ connectionString: installation.databaseUrl });
  await holder.connect();
  onTestFinished(() => holder.end());
  await holder.query('BEGIN');
  await holder.query('SELECT FROM workspace FOR UPDATE');
  await installation.query(allAreDue);
  await eventually(async () => {
    const waiting = await installation.query(
      `SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock' AND strpos(query, 'INSERT INTO job ') > 0`,
    );
    expect(waiting).toHaveLength(3);
  }, 60_000);
  processes[0]?.kill('SIGKILL');
  await processes[0]?.ended;
  await holder.query('COMMIT');
  await occurred(1);

  // And one that dies at some moment of its work.
  await installation.query(allAreDue);
  await eventually(async () => expect((await figuresOf(installation)).jobs).toBeGreaterThan(schedules), 60_000);
  processes[2]?.kill('SIGKILL');
  await processes[2]?.ended;
  await occurred(2);

  // What the killed ones had begun left nothing.
  const [ledger] = await installation.query(
    `SELECT workspace.credits = sum(entry.amount) AS balanced, (count(*) FILTER (WHERE entry.kind = 'CHARGE'))::int AS charges
     FROM workspace JOIN credit_transaction AS entry ON entry.workspace_id = workspace.id GROUP BY workspace.id`,
  );
  expect(ledger).toEqual({ balanced: true, charges: 2 * schedules });
}, 240_000);
