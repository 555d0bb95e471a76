import type { Command } from 'commander';
import { loadConfig } from '../server/configuration.ts';
import type { Database } from '../database/database.ts';
import { checkLedger } from '../jobs/read/ledger-check.ts';
import { onExistingDatabase } from './existing-database.ts';
import { tell } from './tell.ts';

export function declare(command: Command): void {
  command.action(check);
}

/**
 * `npm run check-ledger`: proves that the books add up, on the database that the environment names. Changes nothing and
 * needs no pause on a server; an embedded database must not be in use.
 *
 * Exits with 0 where they do, 1 where they do not, 2 where it could not look.
 */
async function check(): Promise<void> {
  try {
    process.exitCode = await onExistingDatabase(loadConfig(process.env), report);
  } catch (error) {
    process.stderr.write(`The ledger could not be checked: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 2;
  }
}

async function report(database: Database): Promise<number> {
  const { workspaces, entries, jobs, faults } = await checkLedger(database.reads);
  for (const { workspaceId, jobId, message } of faults) {
    tell(`workspace ${workspaceId}${jobId === null ? '' : `, job ${jobId}`}: ${message}`, { workspaceId, jobId }, message);
  }
  const verdict = faults.length === 0 ? 'everything adds up' : `${faults.length} faults`;
  tell(`${workspaces} workspaces, ${entries} entries, ${jobs} jobs: ${verdict}.`, { workspaces, entries, jobs, faults: faults.length }, verdict);
  return faults.length === 0 ? 0 : 1;
}
