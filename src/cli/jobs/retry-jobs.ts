import type { Command } from 'commander';
import { actOnEach } from '../act-on-each.ts';
import { connect, withServerOptions } from '../connect.ts';
import type { ServerChoice } from '../contexts/choose-server.ts';
import { type PrintOptions, printList, type Shape, withPrintOptions } from '../output/print-list.ts';
import { bulkActionShape, runBulkAction } from './bulk-action.ts';
import { type ActOptions, whatToActOn, withFilterOptions } from './job-filter.ts';

const shape: Shape<{ id: string; retryOf: string }> = { columns: { id: null, retryOf: null }, properties: { id: null, retryOf: null }, id: 'id' };

export function declare(command: Command): void {
  withPrintOptions(withFilterOptions(withServerOptions(command)), ({ args }) => (args.length > 0 ? shape : bulkActionShape))
    .argument('[ids...]', 'of jobs that FAILED or were CANCELLED')
    .option('--all', 'all that failed or were cancelled')
    .addHelpText('after', '\nEach retry is a new job, whose id is printed.')
    .action(retry);
}

async function retry(given: string[], options: ServerChoice & ActOptions & PrintOptions): Promise<void> {
  const what = whatToActOn(given, options, ['FAILED', 'CANCELLED']);
  const client = await connect(options);
  if ('filter' in what) return runBulkAction(client, { kind: 'RETRY', filter: what.filter }, options);
  const made = await actOnEach(what.ids, async (retryOf, signal) => ({ id: (await client.handle(retryOf).retry({ signal })).id, retryOf }));
  printList(made, shape, options);
}
