import { migratePglite } from '../database/migrate/migrate.ts';
import { openPglite } from '../database/orm.ts';
import { silentLog } from '../log.ts';
import { entities } from './entities.ts';

/*
 * `npm run draft-migration`: prints the skeleton of a migration, with the SQL that takes the schema from the migrations to the
 * entities. Uses a database of its own. Put large changes into steps that hold no long lock, and add what entities cannot
 * express, such as storage parameters.
 */
const database = await migratePglite(await openPglite(null), entities, silentLog);
try {
  const statements = (await database.orm.schema.getUpdateSchemaSQL({ wrap: false })).split(';').map((statement) => statement.trim());
  const steps = statements.filter((statement) => statement !== '').map((statement) => `    sql('…', \`${statement}\`),\n`);
  process.stdout.write(
    steps.length === 0
      ? 'The migrations make what the entities describe.\n'
      : `import { type Migration, sql } from '../migrate/step.ts';\n\nexport const …: Migration = {\n  name: '…',\n  oldestVersion: '…',\n  steps: [\n${steps.join('')}  ],\n};\n`,
  );
} finally {
  await database.close();
}
