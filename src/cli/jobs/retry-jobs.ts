import type { Command } from 'commander';
import { connect, withServer } from '../connect.ts';
import type { ServerChoice } from '../contexts/choose-server.ts';
import { type PrintOptions, printList, withPrinting } from '../output/print-list.ts';
import { actOnEach, actOnMany } from './bulk.ts';
import { type ActOptions, whatToActOn, withFilter } from './choosing.ts';

export function declare(command: Command): void {
  withPrinting(withFilter(withServer(command)))
    .argument('[ids...]', 'of jobs that FAILED or were CANCELLED')
    .option('--all', 'all that failed or were cancelled')
    .addHelpText('after', '\nEach retry is a new job, whose id is printed.')
    .action(retry);
}

async function retry(given: string[], options: ServerChoice & ActOptions & PrintOptions): Promise<void> {
  const what = whatToActOn(given, options);
  const client = await connect(options);
  if ('filter' in what) return actOnMany(client, 'RETRY', what.filter, undefined, options);
  const made: { id: string; retryOf: string }[] = [];
  await actOnEach(what.ids, async (retryOf) => {
    const { id } = await client.handle(retryOf).retry();
    made.push({ id, retryOf });
  });
  printList(made, { columns: { id: null, retryOf: null }, id: 'id' }, options);
}
