import { randomBytes } from 'node:crypto';
import type pg from 'pg';
import type { Installation } from './installation.ts';

/**
 * Bytes of WAL that this database writes during `work`, whatever else the server does. Without full-page images, whose
 * number depends on when the last checkpoint was. Needs a superuser.
 */
export async function walOf({ admin }: Installation, work: () => Promise<unknown>): Promise<number> {
  await admin.query('CREATE EXTENSION IF NOT EXISTS pg_walinspect');
  const client = await admin.connect();
  const slot = `longhaul_bench_${randomBytes(6).toString('hex')}`;
  try {
    // Keeps the WAL until it has been read, and goes with the connection.
    await client.query('SELECT pg_create_physical_replication_slot($1, true, true)', [slot]);
    const start = await position(client);
    await work();
    return await readWal(client, start, await position(client));
  } finally {
    client.release(true);
  }
}

/** A commit names no relation, so its transaction is found by the rows that it wrote. */
async function readWal(client: pg.PoolClient, start: string, end: string): Promise<number> {
  const { rows } = await client.query<{ bytes: number }>(
    `WITH record AS MATERIALIZED (
       SELECT xid, record_length, fpi_length, block_ref LIKE '%rel %/' || database.oid || '/%' AS own
       FROM pg_get_wal_records_info($1, $2), pg_database AS database WHERE database.datname = current_database()
     )
     SELECT sum(record_length - fpi_length)::float8 AS bytes FROM record
     WHERE own OR xid IN (SELECT xid FROM record WHERE own AND xid::text <> '0')`,
    [start, end],
  );
  return rows[0]?.bytes ?? 0;
}

/** Records can be read once they are flushed, and this transaction flushes all before it. */
async function position(client: pg.PoolClient): Promise<string> {
  await client.query(`SELECT pg_logical_emit_message(true, 'bench', '')`);
  const { rows } = await client.query<{ lsn: string }>('SELECT pg_current_wal_flush_lsn() AS lsn');
  return rows[0]?.lsn ?? '';
}
