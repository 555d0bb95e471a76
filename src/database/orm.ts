import type { PGlite, PGliteOptions } from '@electric-sql/pglite';
import { Migrator } from '@mikro-orm/migrations';
import type { MikroORM as EmbeddedORM } from '@mikro-orm/pglite';
import type { MikroORM as PostgresORM } from '@mikro-orm/postgresql';
import { createPostgreSqlTypeParsers } from '@mikro-orm/sql';
import type { Pool } from 'pg';
import { entities } from './entities.ts';
import { Initial } from './migrations/2026-11-22-initial.ts';
import { JobChange } from './migrations/2026-11-22-job-change.ts';
import { WebhookDelivery } from './migrations/2026-11-22-webhook-delivery.ts';
import { WebhookDue } from './migrations/2026-11-26-webhook-due.ts';

/** In their order; a name that has been released is never changed. */
const migrationsList = [
  { name: '2026-11-22-initial', class: Initial },
  { name: '2026-11-22-job-change', class: JobChange },
  { name: '2026-11-22-webhook-delivery', class: WebhookDelivery },
  { name: '2026-11-26-webhook-due', class: WebhookDue },
];

export const migrationNames: readonly string[] = migrationsList.map(({ name }) => name);

// Each driver is loaded only where it is used: together they are a third of the time of a start.
const shared = {
  entities,
  extensions: [Migrator],
  migrations: {
    migrationsList,
    snapshot: false,
    silent: true,
  },
  // Every identity map lives in a fork; using the global one is a bug that must not pass unseen.
  allowGlobalContext: false,
};

/** What every connection to a Postgres server has. */
const connection = {
  application_name: 'longhaul',
  connectionTimeoutMillis: 10_000,
  // A statement that hangs must not hold locks for ever; nothing here needs a tenth of it.
  statement_timeout: 30_000,
  idle_in_transaction_session_timeout: 30_000,
};

/** Compiling a statement that takes a millisecond takes Postgres a second, and its guess of the cost can be far off. */
const withoutJit = '-c jit=off';

/** MikroORM on a Postgres server. */
export async function connectPostgres(url: string, poolSize: number): Promise<PostgresORM> {
  const { MikroORM, PostgreSqlDriver } = await import('@mikro-orm/postgresql');
  return MikroORM.init({
    ...shared,
    driver: PostgreSqlDriver,
    clientUrl: url,
    driverOptions: { ...connection, max: poolSize, options: withoutJit },
  });
}

/**
 * A pool of its own for the prepared statements. They are planned once for each connection and never again
 * (force_generic_plan): planning a claim takes longer than the claim, and Postgres would do it every time, because it
 * cannot see how short the lists are that come as parameters. Every statement here must be good without seeing them.
 */
export async function openPreparedPool(url: string, poolSize: number): Promise<Pool> {
  const { default: pg } = await import('pg');
  const types = new pg.TypeOverrides();
  for (const [oid, parser] of Object.entries(createPostgreSqlTypeParsers(splitArray))) {
    types.setTypeParser(Number(oid), parser);
  }
  const options = `${withoutJit} -c plan_cache_mode=force_generic_plan`;
  const pool = new pg.Pool({ ...connection, connectionString: url, max: poolSize, options, types });
  // The query in flight fails by itself; a connection that was lost while idle is only replaced.
  pool.on('error', () => undefined);
  pool.on('connect', (client) => client.on('error', () => undefined));
  return pool;
}

/** MikroORM on Postgres in this process. The caller closes the PGlite after the ORM. */
export async function connectEmbedded(pglite: PGlite): Promise<EmbeddedORM> {
  const { MikroORM, PgliteDriver } = await import('@mikro-orm/pglite');
  return MikroORM.init({
    ...shared,
    driver: PgliteDriver,
    dbName: 'postgres',
    driverOptions: { pglite: () => pglite },
  });
}

/** Opens the embedded database in a folder, or in memory where none is named. */
export async function openPglite(dataDir: string | null, options: PGliteOptions = {}): Promise<PGlite> {
  const { PGlite } = await import('@electric-sql/pglite');
  const parsers = createPostgreSqlTypeParsers(splitArray);
  return PGlite.create({ ...options, ...(dataDir === null ? {} : { dataDir }), parsers });
}

/** Arrays of timestamps arrive as text, `{"a","b"}`; no query selects one, MikroORM asks for the parser all the same. */
function splitArray(text: string): string[] {
  return text.slice(1, -1).split(',');
}
