import type { Database } from '../database/database.ts';
import { listPending } from '../database/migrate/pending.ts';
import { allMigrations } from '../database/migrations/all.ts';
import type { Damage } from './examination.ts';

/** Transactions older than this keep the vacuum from removing rows, and the counts from going on. */
const longMinutes = 60;

/** How far the clocks of two machines may differ, in milliseconds: what is newer than that may be taken for older. */
const mostSkew = 2_000;

/** Whether the server answers, writes, has room for connections, and holds what it should. */
export async function databaseDamages(database: Database): Promise<Damage[]> {
  const [state] = await database.reads.query<{ standby: boolean; used: number; most: number }>(
    `SELECT pg_is_in_recovery() AS standby, (SELECT count(*)::int FROM pg_stat_activity WHERE backend_type = 'client backend') AS used,
       current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int AS most`,
  );
  const invalid = await database.reads.query<{ name: string }>(
    `SELECT indexrelid::regclass::text AS name FROM pg_index JOIN pg_class ON pg_class.oid = indrelid
     WHERE NOT indisvalid AND relnamespace = current_schema()::regnamespace`,
  );
  const long = await database.reads.query<{ pid: number; name: string; minutes: number }>(
    `SELECT pid, coalesce(nullif(application_name, ''), 'without a name') AS name, (extract(epoch FROM now() - xact_start) / 60)::int AS minutes
     FROM pg_stat_activity
     WHERE datname = current_database() AND xact_start < now() - interval '${longMinutes} minutes' AND backend_type = 'client backend'`,
  );
  return [
    ...(state?.standby === true ? [{ what: 'it only reads: it is a standby', remedy: 'Name the primary in DATABASE_URL.' }] : []),
    ...(state !== undefined && !database.embedded && state.used >= state.most * 0.9
      ? [{ what: `${state.used} of ${state.most} connections are in use`, remedy: 'Raise max_connections, or lower DATABASE_POOL_SIZE: OPERATIONS.md, Sizing.' }]
      : []),
    ...invalid.map(({ name }) => ({ what: `the index ${name} is not valid, so nothing uses it`, remedy: `Make it anew: REINDEX INDEX CONCURRENTLY ${name};` })),
    ...long.map(({ pid, name, minutes }) => ({
      what: `process ${pid} (${name}) has had a transaction open for ${minutes} minutes, and nothing that was removed since can be vacuumed`,
      remedy: `End it where it began, or by SELECT pg_terminate_backend(${pid});`,
    })),
  ];
}

/** Whether all migrations were run. Throws where the database is of a newer version. */
export async function migrationDamages(database: Database): Promise<Damage[]> {
  const pending = await listPending(database.reads, allMigrations(database.orm), database);
  const [first] = pending;
  if (first === undefined) return [];
  return [{ what: `${pending.length} steps of migrations are pending, the first of them ${first.label}`, remedy: 'Run them: npm run migrate' }];
}

/** Whether this machine's clock and the database's tell the same time. */
export async function clockDamages(database: Database): Promise<Damage[]> {
  const before = Date.now();
  const [row] = await database.reads.query<{ at: number }>('SELECT (extract(epoch FROM clock_timestamp()) * 1000)::float8 AS at');
  const skew = Math.round((before + Date.now()) / 2 - (row?.at ?? 0));
  if (Math.abs(skew) <= mostSkew) return [];
  const what = `this machine's clock is ${Math.abs(skew)} ms ${skew > 0 ? 'ahead of' : 'behind'} the database's`;
  return [{ what, remedy: 'Let both take their time from the same source (NTP). Certificates, logs and signatures are judged by it.' }];
}
