import pg from 'pg';
import type { Queryable } from '../queryable.ts';

/** The schema that has, or will have, this installation's tables. */
export interface Place {
  schema: string;
  /** Whether the tables exist. */
  exists: boolean;
  user: string;
}

/**
 * Finds the schema through the search_path that the role, the database or DATABASE_URL sets: the one that has the tables, or
 * else the first one, where new tables go.
 *
 * @throws Error if the search_path has no existing schema
 */
export async function findSchema(session: Queryable): Promise<Place> {
  const [found] = await session.query<{ existing: string | null; first: string | null; path: string; user: string }>(
    `SELECT (SELECT nspname FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
                   WHERE pg_class.oid = to_regclass('retired_webhook_secret')) AS existing,
             current_schema() AS first, current_setting('search_path') AS path, current_user AS user`,
  );
  const schema = found?.existing ?? found?.first ?? null;
  if (found !== undefined && schema !== null) return { schema, exists: found.existing !== null, user: found.user };
  throw new Error(
    `DATABASE_URL: no schema to make tables in: the search_path of ${found?.user} is ${found?.path}. Create a schema that is in it ` +
      `and belongs to ${found?.user}, or name another one with options=-csearch_path%3DSCHEMA.`,
  );
}

/** Moves the migration table into the schema: earlier versions kept it in `public`, wherever the tables were. */
export async function adoptMigrationTable(session: Queryable, { schema, exists }: Place): Promise<void> {
  if (!exists || schema === 'public') return;
  const target = pg.escapeIdentifier(schema);
  const [found] = await session.query<{ own: string | null; old: string | null }>(
    'SELECT to_regclass($1)::text AS own, to_regclass($2)::text AS old',
    [`${target}.mikro_orm_migrations`, 'public.mikro_orm_migrations'],
  );
  if (found?.own !== null || found.old === null) return;
  await session.query(`ALTER TABLE public.mikro_orm_migrations SET SCHEMA ${target}`);
}

/**
 * Checks privileges at the start, before a request fails for lack of one.
 *
 * @param needs `pending`: names of the migrations that have to run; `tables`: the tables of this installation
 * @throws Error that lists the missing privileges as GRANT and ALTER statements
 */
export async function checkRights(
  session: Queryable,
  place: Place,
  { pending, tables: names }: { pending: readonly string[]; tables: readonly string[] },
): Promise<void> {
  const { schema, user } = place;
  const role = pg.escapeIdentifier(user);
  const statements: string[] = [];
  const creates = pending.length > 0;
  if (creates) {
    const [right] = await session.query<{ may: boolean }>(`SELECT has_schema_privilege($1, 'CREATE') AS may`, [schema]);
    if (right?.may !== true) statements.push(`GRANT USAGE, CREATE ON SCHEMA ${pg.escapeIdentifier(schema)} TO ${role}`);
  }
  const tables = await session.query<{ name: string; owned: boolean; usable: boolean }>(
    `SELECT oid::regclass::text AS name, pg_has_role(relowner, 'USAGE') AS owned,
             has_table_privilege(oid, 'SELECT') AND has_table_privilege(oid, 'INSERT')
               AND has_table_privilege(oid, 'UPDATE') AND has_table_privilege(oid, 'DELETE') AS usable
           FROM pg_class WHERE relnamespace = quote_ident($1)::regnamespace AND relkind IN ('r', 'p') AND relname = ANY ($2)
           ORDER BY relname`,
    [schema, ['mikro_orm_migrations', ...names]],
  );
  for (const { name, owned, usable } of tables) {
    // Only a table's owner may alter it.
    if (creates && !owned) statements.push(`ALTER TABLE ${name} OWNER TO ${role}`);
    else if (!usable) statements.push(`GRANT SELECT, INSERT, UPDATE, DELETE ON ${name} TO ${role}`);
  }
  if (statements.length === 0) return;
  const reason = creates
    ? `the database is older than this version of Longhaul (pending: ${pending.join(', ')}), and the role ${user} may not change ` +
      'it. Let a role that owns its tables run `npm run migrate`, or, as'
    : `the role ${user} lacks rights. As`;
  throw new Error(`DATABASE_URL: ${reason} the owner or a superuser, run: ${statements.join('; ')}`);
}
