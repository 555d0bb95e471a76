import type { Command } from 'commander';
import { migrateDatabase, openPending } from '../database/open.ts';
import type { PendingStep } from '../database/migrate/pending.ts';
import { cacheFolder } from '../server/cache-folder.ts';
import { entities } from '../server/entities.ts';
import { createLog } from '../server/json-log.ts';
import { readConfig, refuse } from './refuse.ts';
import { tell } from './tell.ts';

export function declare(command: Command): void {
  command
    .option('--dry-run', 'print the SQL of what is pending and change nothing: exits with 0 if nothing is, with 2 otherwise')
    // 2 means that something is pending, so a wrong option exits with 1.
    .exitOverride((error) => {
      if (error.exitCode === 0) throw error;
      process.exit(1);
    })
    .action(migrate);
}

/**
 * `npm run migrate`: runs the pending migrations of the database that the environment names, says so, and ends. Servers may
 * run meanwhile, unless the changelog says otherwise; an embedded database must not be in use.
 *
 * With `--dry-run` it prints the SQL of the pending steps, wherever standard output goes, and changes nothing. Then it exits
 * with 0 if nothing is pending and with 2 otherwise. 1 always means that it failed.
 */
async function migrate({ dryRun }: { dryRun?: true }): Promise<void> {
  const config = readConfig();
  try {
    if (dryRun === true) {
      const pending = await openPending(config, entities);
      process.stdout.write(pending.length === 0 ? 'Nothing is pending.\n' : pending.map(described).join('\n'));
      process.exitCode = pending.length === 0 ? 0 : 2;
    } else {
      await migrateDatabase(config, { cacheFolder, entities, log: createLog(config.logLevel) });
      tell('The database is up to date.', {}, 'the database is up to date');
    }
  } catch (error) {
    refuse('The database cannot be migrated', error);
  }
}

function described({ label, statements, isRepeated }: PendingStep): string {
  const note = isRepeated ? '-- Again and again, until no row is left. $1 is the key of the last row, $2 the size of a batch.\n' : '';
  return `-- ${label}\n${note}${statements.map((statement) => `${statement};\n`).join('')}`;
}
