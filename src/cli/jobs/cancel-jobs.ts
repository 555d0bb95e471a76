import type { JobSummary } from '@longhaul/client';
import type { Command } from 'commander';
import { connect, withServer } from '../connect.ts';
import type { ServerChoice } from '../contexts/choose-server.ts';
import { type PrintOptions, printList, withPrinting } from '../output/print-list.ts';
import { actOnEach, actOnMany } from './bulk.ts';
import { type ActOptions, whatToActOn, withFilter } from './choosing.ts';

interface Options extends ServerChoice, ActOptions, PrintOptions {
  reason?: string;
}

export function declare(command: Command): void {
  withPrinting(withFilter(withServer(command)))
    .argument('[ids...]', 'of the jobs')
    .option('--all', 'all that have not ended')
    .option('--reason <text>', 'is kept with the jobs')
    .action(cancel);
}

async function cancel(given: string[], options: Options): Promise<void> {
  const what = whatToActOn(given, options);
  const client = await connect(options);
  if ('filter' in what) return actOnMany(client, 'CANCEL', what.filter, options.reason, options);
  const cancelled: JobSummary[] = [];
  await actOnEach(what.ids, async (id) => {
    cancelled.push(await client.handle(id).cancel(options.reason));
  });
  printList(cancelled, { columns: { id: null, type: null, status: null, creditsRefunded: null }, id: 'id' }, options);
}
