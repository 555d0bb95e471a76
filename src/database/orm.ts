import type { PGlite, PGliteOptions } from '@electric-sql/pglite';
import type { MikroORM as EmbeddedORM } from '@mikro-orm/pglite';
import type { MikroORM as PostgresORM } from '@mikro-orm/postgresql';
import type { Options } from '@mikro-orm/core';
import { PostgresDialect } from 'kysely';
import type { ConnectionPool } from './connection/pool.ts';
import { typeParsers } from './type-parsers.ts';

/** The entities of all tables. The parts that own the tables define them; whoever wires the parts lists them. */
export type Entities = NonNullable<Options['entities']>;

export type ORM = EmbeddedORM | PostgresORM;

// Each driver is loaded only when needed: loading both takes a third of the start-up time.
const shared = {
  // Every unit of work forks the EntityManager. Using the global one is a bug, so make it throw.
  allowGlobalContext: false,
};

/** Starts MikroORM on a Postgres server. Closing it closes the pool. */
export async function connectPostgres(
  pool: ConnectionPool,
  { database, schema, entities }: { database: string; schema: string; entities: Entities },
): Promise<PostgresORM> {
  const { MikroORM, PostgreSqlDriver } = await import('@mikro-orm/postgresql');
  return MikroORM.init({
    ...shared,
    entities,
    driver: PostgreSqlDriver,
    dbName: database,
    schema,
    // MikroORM's own connection would support fewer forms of DATABASE_URL.
    driverOptions: new PostgresDialect({ pool }),
  });
}

/** Starts MikroORM on a PGlite. The caller closes the PGlite after the ORM. */
export async function connectEmbedded(pglite: PGlite, entities: Entities): Promise<EmbeddedORM> {
  const { MikroORM, PgliteDriver } = await import('@mikro-orm/pglite');
  return MikroORM.init({
    ...shared,
    entities,
    driver: PgliteDriver,
    dbName: 'postgres',
    driverOptions: { pglite: () => pglite },
  });
}

/** Opens the embedded database in a folder, or in memory if the folder is null. */
export async function openPglite(dataDir: string | null, options: PGliteOptions = {}): Promise<PGlite> {
  const { PGlite } = await import('@electric-sql/pglite');
  // The files are in the cache of the system anyway: a second copy of 128 MB gains little.
  const startParams = [...PGlite.defaultStartParams, '-c', 'shared_buffers=16MB'];
  return PGlite.create({ startParams, ...options, ...(dataDir === null ? {} : { dataDir }), parsers: typeParsers });
}
