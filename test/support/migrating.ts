import { pathToFileURL } from 'node:url';
import { readServer } from '../../src/database/connection/database-url.ts';
import { Route } from '../../src/database/connection/route.ts';
import { findPending } from '../../src/database/migrate/record.ts';
import { runMigrations } from '../../src/database/migrate/run.ts';
import { backfill, concurrently, type Migration, notNull, sql } from '../../src/database/migrate/step.ts';
import { ProcessLock } from '../../src/database/process-lock.ts';
import type { Log } from '../../src/log.ts';

/** Rows of the table that `manySteps` changes. */
export const rowCount = 5_000;

/** A table of things, in one step. */
export const makeThings: Migration = {
  name: 'make-things',
  oldestVersion: null,
  steps: [
    sql(
      'the tables',
      'create table "setting" ("name" text not null, "value" text not null, primary key ("name"))',
      `create table "thing" ("shelf" uuid not null, "place" int not null, "size" int not null, "double" int null,
        primary key ("shelf", "place"))`,
      `insert into "thing" select ('00000000-0000-0000-0000-00000000000' || n % 10)::uuid, n, n from generate_series(1, ${rowCount}) as n`,
    ),
  ],
};

/** One step of each kind. The backfill adds to what is there, so that a row that is changed twice shows. */
const manySteps: Migration = {
  name: 'many-steps',
  oldestVersion: null,
  steps: [
    backfill('thing.double', {
      table: 'thing',
      key: { shelf: 'uuid', place: 'int' },
      where: 'size > 0',
      statement: `update thing set double = coalesce(double, 0) + 2 * size from batch
        where thing.shelf = batch.shelf and thing.place = batch.place`,
    }),
    concurrently('thing_size_index', '"thing" ("size")', { unique: true }),
    ...notNull('thing', 'double'),
  ],
};

/** Migrates a database as a start does, and tells the log. */
export async function migrateThings(url: string, log: Log, migrations: readonly Migration[] = [makeThings, manySteps]): Promise<void> {
  const route = new Route(readServer(url, {}));
  const observer = await route.connect({ statementMilliseconds: 0, planning: 'auto' }, 'observer');
  try {
    await ProcessLock.exclusively(route, log, async (session) => {
      const seeing = { query: async <Row>(text: string, values: readonly unknown[] = []) => (await observer.query<Row & object>(text, [...values])).rows };
      await runMigrations(await findPending(session, migrations), { session, observer: seeing, log, reportMilliseconds: 100 });
    });
  } finally {
    await observer.end();
  }
}

function write(_fields: object, message: string): void {
  process.stdout.write(`${message}\n`);
}

// As a process of its own, for tests that kill it.
if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  await migrateThings(process.argv[2] ?? '', { debug: write, info: write, warn: write, error: write });
}
