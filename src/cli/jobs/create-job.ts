import type { Command } from 'commander';
import { connect, withServerOptions } from '../connect.ts';
import type { ServerChoice } from '../contexts/choose-server.ts';
import { onInterruption } from '../interruption.ts';
import { type PrintOptions, printRecord, withPrintOptions } from '../output/print-list.ts';
import { createdShape, type CreationOptions, createJob, withCreationOptions } from './job-creation.ts';

export function declare(command: Command): void {
  withPrintOptions(withCreationOptions(withServerOptions(command)), createdShape).action(create);
}

/** Creates a job and leaves it. */
async function create(type: string, options: ServerChoice & CreationOptions & PrintOptions): Promise<void> {
  const client = await connect(options);
  using interruption = onInterruption();
  const job = await createJob(client, type, options, interruption);
  printRecord(job, createdShape, options);
}
