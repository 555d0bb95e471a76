import type { Command } from 'commander';
import { actOnEach } from '../act-on-each.ts';
import { connect, withServerOptions } from '../connect.ts';
import type { ServerChoice } from '../contexts/choose-server.ts';
import { type PrintOptions, printList, withPrintOptions } from '../output/print-list.ts';
import { bulkActionShape, runBulkAction } from './bulk-action.ts';
import { type ActOptions, whatToActOn, withFilterOptions } from './job-filter.ts';
import { summaryShape } from './job-shape.ts';
import { openStatuses } from './job-statuses.ts';

interface Options extends ServerChoice, ActOptions, PrintOptions {
  reason?: string;
}

export function declare(command: Command): void {
  withPrintOptions(withFilterOptions(withServerOptions(command)), ({ args }) => (args.length > 0 ? summaryShape : bulkActionShape))
    .argument('[ids...]', 'of the jobs')
    .option('--all', 'all that have not ended')
    .option('--reason <text>', 'is kept with the jobs')
    .action(cancel);
}

async function cancel(given: string[], options: Options): Promise<void> {
  const { reason } = options;
  const what = whatToActOn(given, options, openStatuses);
  const client = await connect(options);
  if ('filter' in what) return runBulkAction(client, { kind: 'CANCEL', filter: what.filter, reason }, options);
  const cancelled = await actOnEach(what.ids, (id, signal) => client.handle(id).cancel(reason, { signal }));
  printList(cancelled, summaryShape, options);
}
