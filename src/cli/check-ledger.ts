import { join } from 'node:path';
import { loadConfig } from '../server/configuration.ts';
import { lockDataDir } from '../database/data-dir-lock.ts';
import { Database } from '../database/database.ts';
import { openServer } from '../database/open.ts';
import { connectEmbedded, openPglite } from '../database/orm.ts';
import { entities } from '../server/entities.ts';
import { checkLedger } from '../jobs/read/ledger-check.ts';
import { tell } from './tell.ts';

/**
 * `npm run check-ledger`: proves that the books add up, on the database that the environment names. Changes nothing and
 * needs no pause on a server; an embedded database must not be in use.
 *
 * Exits with 0 where they do, 1 where they do not, 2 where it could not look.
 */
export async function run(): Promise<void> {
  try {
    process.exitCode = await check();
  } catch (error) {
    process.stderr.write(`The ledger could not be checked: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 2;
  }
}

async function check(): Promise<number> {
  const { databaseServer, dataDir } = loadConfig(process.env);
  // A long ledger takes longer than any request may.
  if (databaseServer !== null) return report(await openServer(databaseServer, entities, { statementMilliseconds: 0 }));
  const lock = lockDataDir(dataDir);
  try {
    const pglite = await openPglite(join(dataDir, 'database'));
    return await report(new Database(await connectEmbedded(pglite, entities), { pglite }));
  } finally {
    lock.release();
  }
}

async function report(database: Database): Promise<number> {
  try {
    const { workspaces, entries, jobs, faults } = await checkLedger(database.reads);
    for (const { workspaceId, jobId, message } of faults) {
      tell(`workspace ${workspaceId}${jobId === null ? '' : `, job ${jobId}`}: ${message}`, { workspaceId, jobId }, message);
    }
    const verdict = faults.length === 0 ? 'everything adds up' : `${faults.length} faults`;
    tell(`${workspaces} workspaces, ${entries} entries, ${jobs} jobs: ${verdict}.`, { workspaces, entries, jobs, faults: faults.length }, verdict);
    return faults.length === 0 ? 0 : 1;
  } finally {
    await database.close();
  }
}
