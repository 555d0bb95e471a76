import type { Command } from 'commander';
import { connect, withServer } from '../connect.ts';
import type { ServerChoice } from '../contexts/choose-server.ts';
import { type PrintOptions, printRecord, withPrinting } from '../output/print-list.ts';
import { type CreationOptions, createJobOf, withCreation } from './creating.ts';

export function declare(command: Command): void {
  withPrinting(withCreation(withServer(command))).action(create);
}

/** Creates a job and leaves it. */
async function create(type: string, options: ServerChoice & CreationOptions & PrintOptions): Promise<void> {
  const client = await connect(options);
  const job = await createJobOf(client, type, options);
  printRecord(job, { columns: { id: null, type: null, status: null, creditsCharged: null }, id: 'id' }, options);
}
