import type { Command } from 'commander';
import { connect, withServer } from '../connect.ts';
import type { ServerChoice } from '../contexts/choose-server.ts';
import { type PrintOptions, withPrinting } from '../output/print-list.ts';
import { actOnMany } from './bulk.ts';
import { type ActOptions, whatToActOn, withFilter } from './choosing.ts';

export function declare(command: Command): void {
  withPrinting(withFilter(withServer(command)))
    .argument('[ids...]', 'of jobs that have ended, at most 100')
    .option('--all', 'all that have ended')
    .addHelpText('after', '\nRemoves them with their files and logs, for good; the ledger stays.')
    .action(remove);
}

async function remove(given: string[], options: ServerChoice & ActOptions & PrintOptions): Promise<void> {
  const what = whatToActOn(given, options);
  const client = await connect(options);
  await actOnMany(client, 'DELETE', 'ids' in what ? { ids: what.ids } : what.filter, undefined, options);
}
