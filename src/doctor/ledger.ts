import type { Queryable } from '../database/queryable.ts';
import { checkLedger } from '../jobs/read/ledger-check.ts';
import type { Damage } from './examination.ts';

const remedy =
  'Only somebody who writes into the database can cause it. Find out who, then correct the balance or the entry by SQL, in one transaction, until npm run check-ledger finds nothing.';

/** Whether every balance is the sum of its ledger. */
export async function ledgerDamages(database: Queryable): Promise<Damage[]> {
  const { faults } = await checkLedger(database);
  return faults.map(({ workspaceId, jobId, message }) => ({
    what: `workspace ${workspaceId}${jobId === null ? '' : `, job ${jobId}`}: ${message}`,
    remedy,
  }));
}
