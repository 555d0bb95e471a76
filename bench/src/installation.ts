import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import type { Stops } from './stops.ts';

const serverUrl = process.env['DATABASE_URL'] ?? 'postgres://postgres@127.0.0.1:5432/postgres';
const redisUrl = process.env['REDIS_URL'] ?? 'redis://127.0.0.1:6379';

/** Connections to Postgres for each contestant. */
export const poolSize = 10;

/** What both contestants use: a database created by the bench, and one workspace's key. */
export interface Installation {
  databaseUrl: string;
  redisUrl: string;
  /** Of the workspace `default`, with every scope. */
  key: string;
  /** Longhaul's configuration. */
  env: Record<string, string>;
  /** Node options of Longhaul's process. */
  nodeOptions: string[];
  /** For preparing and checking, apart from the contestants' connections. */
  admin: pg.Pool;
}

/** Creates an empty database. At the end it is dropped, even if there are still connections. */
export async function install(stops: Stops): Promise<Installation> {
  const name = `longhaul_bench_${randomBytes(6).toString('hex')}`;
  await onServer(`CREATE DATABASE ${name}`);
  stops.push(() => onServer(`DROP DATABASE ${name} WITH (FORCE)`));
  const url = new URL(serverUrl);
  url.pathname = name;
  const folder = await mkdtemp(join(tmpdir(), 'longhaul-bench-'));
  stops.push(() => rm(folder, { recursive: true, force: true }));
  const admin = new pg.Pool({ connectionString: url.href, max: 2 });
  admin.on('error', () => undefined);
  stops.push(() => admin.end());
  const key = `lh_${randomBytes(32).toString('hex')}`;
  return {
    databaseUrl: url.href,
    redisUrl,
    key,
    admin,
    nodeOptions: [],
    env: {
      NODE_ENV: 'production',
      PORT: '0',
      ROLE: 'api',
      DATABASE_URL: url.href,
      DATABASE_POOL_SIZE: String(poolSize),
      REDIS_URL: redisUrl,
      DATA_DIR: folder,
      SECRET: randomBytes(32).toString('hex'),
      ADMIN_API_KEY: key,
      INITIAL_CREDITS: '1000000000',
      // No limit may refuse a measured request.
      MAX_SOCKETS_PER_KEY: '20000',
      MAX_SUBSCRIPTIONS_PER_KEY: '20000',
      MAX_QUEUE_LENGTH: '10000000',
      RATE_LIMIT: '0',
    },
  };
}

/** Deletes all jobs and everything that belongs to them. Rounds that write start like this, on both sides. */
export async function empty({ admin }: Installation): Promise<void> {
  await admin.query('TRUNCATE job, job_tag, job_attempt, lease, idempotency_key, credit_transaction, webhook_delivery, job_log, job_log_counter');
}

/** Refreshes the statistics and writes a checkpoint, so that a round pays only for its own writes. */
export async function settle({ admin }: Installation): Promise<void> {
  await admin.query('VACUUM (ANALYZE)');
  // Needs a superuser. Otherwise the medians include the cost.
  await admin.query('CHECKPOINT').catch(() => undefined);
}

export async function defaultWorkspace({ admin }: Installation): Promise<string> {
  const { rows } = await admin.query<{ id: string }>(`SELECT id FROM workspace WHERE name = 'default'`);
  const [row] = rows;
  if (row === undefined) throw new Error('The workspace `default` is missing.');
  return row.id;
}

/**
 * Inserts jobs by SQL, with ids in order of creation. With `mix`, some are RUNNING with progress and some COMPLETED with an
 * output, as in a workspace in use; otherwise all are PENDING.
 */
export async function fill(
  { admin }: Installation,
  { workspaceId, type, jobs, mix = false }: { workspaceId: string; type: string; jobs: number; mix?: boolean },
): Promise<void> {
  await admin.query(
    `INSERT INTO job (id, workspace_id, type, status, version, input, tags, max_attempts, credits_charged, output,
       progress_step, progress_message, progress_percentage, started_at, finished_at, due_at, dispatch_at)
     SELECT (lpad(to_hex(floor(extract(epoch FROM now()) * 1000)::bigint - $3::int + n), 12, '0')
         || '7000' || to_hex(8 + n % 4) || substr(md5(n::text || $2), 1, 15))::uuid,
       $1::uuid, $2::text, status, CASE status WHEN 'PENDING' THEN 1 ELSE 7 END,
       jsonb_build_object('sourceUrl', 'https://media.example.com/videos/' || n || '.mp4', 'language', 'en'),
       ARRAY['project-' || n % 50, 'bench'], 3, 1,
       CASE status WHEN 'COMPLETED' THEN '{"scenes": 42, "summary": "A house by the sea."}'::jsonb END,
       CASE status WHEN 'PENDING' THEN NULL ELSE 'rendering' END,
       CASE status WHEN 'PENDING' THEN NULL ELSE 'Rendering the last scenes' END,
       CASE status WHEN 'RUNNING' THEN 62.5 WHEN 'COMPLETED' THEN 100 END,
       CASE status WHEN 'PENDING' THEN NULL ELSE now() END, CASE status WHEN 'COMPLETED' THEN now() END,
       now() - interval '1 hour' + n * interval '1 ms', now() - interval '1 hour' + n * interval '1 ms'
     FROM generate_series(1, $3::int) AS n, LATERAL (SELECT CASE WHEN NOT $4::boolean OR n % 4 = 0 THEN 'PENDING'
       WHEN n % 4 = 1 THEN 'RUNNING' ELSE 'COMPLETED' END AS status) AS state`,
    [workspaceId, type, jobs, mix],
  );
}

async function onServer(sql: string): Promise<void> {
  const client = new pg.Client({ connectionString: serverUrl });
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}
