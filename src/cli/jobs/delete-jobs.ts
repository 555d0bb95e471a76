import type { Command } from 'commander';
import { connect, withServerOptions } from '../connect.ts';
import type { ServerChoice } from '../contexts/choose-server.ts';
import { type PrintOptions, withPrintOptions } from '../output/print-list.ts';
import { bulkActionShape, runBulkAction } from './bulk-action.ts';
import { type ActOptions, whatToActOn, withFilterOptions } from './job-filter.ts';
import { finalStatuses } from './job-statuses.ts';

export function declare(command: Command): void {
  withPrintOptions(withFilterOptions(withServerOptions(command)), bulkActionShape)
    .argument('[ids...]', 'of jobs that have ended, at most 100')
    .option('--all', 'all that have ended')
    .addHelpText('after', '\nRemoves them with their files and logs, for good; the ledger stays.')
    .action(deleteJobs);
}

async function deleteJobs(given: string[], options: ServerChoice & ActOptions & PrintOptions): Promise<void> {
  const what = whatToActOn(given, options, finalStatuses);
  const client = await connect(options);
  await runBulkAction(client, { kind: 'DELETE', filter: 'ids' in what ? { ids: what.ids } : what.filter }, options);
}
