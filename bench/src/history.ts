import type { Installation } from './installation.ts';

/** The time of the newest job, the same in all statements. One job came every 100 ms. */
const present = Date.now();

const types = ['export', 'preview', 'comments', 'fingerprint', 'transcribe', 'download', 'analysis', 'translate', 'voiceover', 'render'];

/** Changes that the sweep has not counted yet: what a busy installation makes in five seconds. */
const uncounted = 5_000;

function hex(value: number): string {
  return value.toString(16).padStart(12, '0');
}

/** The id of a job of the history, from 1. */
export function idOf(jobs: number, n: number): string {
  return `${hex(present - (jobs - n) * 100)}70008000${hex(n)}`.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
}

/**
 * A workspace with a history, by SQL: of a hundred jobs 92 were completed, six failed and two cancelled; the newest wait and run.
 * With tags, attempts, leases, counts, and statistics of two days, sixty days and two years.
 */
export async function fillHistory({ admin }: Installation, { workspaceId, jobs }: { workspaceId: string; jobs: number }): Promise<void> {
  const run = (text: string, parameters: unknown[] = []) => admin.query(text, [workspaceId, ...parameters]);
  await run(`INSERT INTO workspace (id, name, credits, webhook_secret) VALUES ($1, 'history', 0, 'unused')`);
  const made = `
    (lpad(to_hex($3::bigint - ($2::bigint - n) * 100), 12, '0') || '70008000' || lpad(to_hex(n), 12, '0'))::uuid AS id,
    to_timestamp(($3::bigint - ($2::bigint - n) * 100) / 1000.0) AS at,
    CASE WHEN n > $2 - least(2000, $2 / 10) THEN 'RUNNING' WHEN n > $2 - least(10000, $2 / 2) THEN 'PENDING'
      WHEN n % 100 < 92 THEN 'COMPLETED' WHEN n % 100 < 98 THEN 'FAILED' ELSE 'CANCELLED' END AS status`;
  await withoutIndexes({ admin }, ['job', 'job_attempt'], async () => {
    await run(
      `INSERT INTO job (id, workspace_id, type, status, version, input, tags, max_attempts, credits_charged, dialect, attempt,
         error_code, error_message, started_at, finished_at, due_at, dispatch_at, client_reference)
       SELECT id, $1::uuid, ($4::text[])[n % cardinality($4::text[]) + 1], status, 3, '{"sourceUrl": "https://media.example.com/a.mp4"}',
         ARRAY['all'] || CASE WHEN n % 10 = 0 THEN ARRAY['tenth'] ELSE '{}' END || CASE WHEN n % 100000 = 7 THEN ARRAY['rare'] ELSE '{}' END,
         3, 1, CASE WHEN n % 100000 = 11 THEN 'VYDRA' ELSE 'NATIVE' END, CASE status WHEN 'PENDING' THEN 0 ELSE 1 END,
         CASE WHEN status = 'FAILED' THEN CASE WHEN n % 50000 = 95 THEN 'ODD' ELSE 'BROKEN' END END, CASE WHEN status = 'FAILED' THEN 'It broke.' END,
         CASE WHEN status <> 'PENDING' THEN at END, CASE WHEN status NOT IN ('PENDING', 'RUNNING') THEN at + interval '1 s' END, at, at,
         CASE WHEN n % 10 = 3 THEN 'order-' || n WHEN n % 10 = 4 THEN 'import' END
       FROM (SELECT n, ${made} FROM generate_series(1, $2::int) AS n) AS made`,
      [jobs, present, types],
    );
    await run(
      `INSERT INTO job_attempt (job_id, number, workspace_id, token, due_at, started_at, ended_at, outcome, worker_id)
       SELECT id, 1, $1::uuid, id, at, at, at, status, CASE WHEN n < 50 THEN 'gone' ELSE 'worker-' || n % 20 END
       FROM (SELECT n, ${made} FROM generate_series(1, $2::int) AS n) AS made WHERE status NOT IN ('PENDING', 'RUNNING')`,
      [jobs, present],
    );
  });
  await run('INSERT INTO job_tag (workspace_id, tag, job_id) SELECT workspace_id, unnest(tags), id FROM job WHERE workspace_id = $1 ORDER BY 2, 3');
  await run(
    `INSERT INTO lease (job_id, workspace_id, token, due_at, started_at, deadline_at, expires_at, attempt, seconds, worker_id)
     SELECT id, workspace_id, id, now(), now(), now() + interval '1 day', now() + interval '1 day', 1, 30, 'worker-1'
     FROM job WHERE workspace_id = $1 AND status = 'RUNNING'`,
  );
  await run('INSERT INTO job_total SELECT workspace_id, type, status, count(*) FROM job WHERE workspace_id = $1 GROUP BY 1, 2, 3');
  await run(
    `INSERT INTO job_statistic (workspace_id, step, at, type, created, completed, failed, cancelled, failed_attempts, waits, runs)
     SELECT $1, step, at, type, 600, 550, 40, 10, 60, histogram.counts, histogram.counts
     FROM (VALUES ('MINUTE', interval '1 minute', 2880), ('HOUR', interval '1 hour', 1440), ('DAY', interval '1 day', 731)) AS kept(step, length, points)
     CROSS JOIN LATERAL (SELECT date_trunc(step, now(), 'UTC') - point * length AS at FROM generate_series(0, points) AS point) AS point
     CROSS JOIN unnest($2::text[] || '{""}') AS type
     CROSS JOIN (SELECT array_agg(n * 7 % 13) AS counts FROM generate_series(1, 90) AS n) AS histogram`,
    [types],
  );
  await run('INSERT INTO counted_log (workspace_id, snapshot) VALUES ($1, pg_current_snapshot())');
  await run(
    `INSERT INTO job_change (workspace_id, job_id, type, previous_status, status, due_at)
     SELECT workspace_id, id, type, 'PENDING', 'RUNNING', now() - interval '2 s' FROM job WHERE workspace_id = $1 ORDER BY id DESC LIMIT $2`,
    [Math.min(uncounted, jobs / 10)],
  );
}

/** Fills tables faster, and leaves their indexes without the holes of random inserts. */
async function withoutIndexes({ admin }: Pick<Installation, 'admin'>, tables: string[], fill: () => Promise<void>): Promise<void> {
  const { rows } = await admin.query<{ name: string; definition: string }>(
    `SELECT indexrelid::regclass AS name, pg_get_indexdef(indexrelid) AS definition FROM pg_index
     WHERE indrelid = ANY($1::regclass[]) AND NOT indisprimary`,
    [tables],
  );
  for (const { name } of rows) await admin.query(`DROP INDEX ${name}`);
  await fill();
  for (const { definition } of rows) await admin.query(definition);
}
