import type { ListedType } from '@longhaul/client/types';
import type { Command } from 'commander';
import { connectTo, withServerOptions } from '../connect.ts';
import type { ServerChoice } from '../contexts/choose-server.ts';
import { type PrintOptions, printList, withPrintOptions } from '../output/print-list.ts';

interface Options extends ServerChoice, PrintOptions {
  typescript?: true;
}

/** A type of job, as the server has it. */
interface TypeInUse extends ListedType {
  credits: number;
  maxAttempts: number;
  timeoutSeconds: number;
  builtIn: boolean;
  liveWorkers: number;
  pending: number;
  paused: boolean;
}

export function declare(command: Command): void {
  withPrintOptions(withServerOptions(command))
    .option('--typescript', 'print a module of the types of their inputs and outputs, for createClient<JobTypes>() of @longhaul/client')
    .action(list);
}

const query = '{ jobTypes { name description credits maxAttempts timeoutSeconds builtIn liveWorkers pending paused inputSchema outputSchema } }';

async function list(options: Options): Promise<void> {
  const { client, server } = await connectTo(options);
  const { jobTypes } = await client.query<{ jobTypes: TypeInUse[] }>(query);
  if (options.typescript === true) {
    const { declareTypes } = await import('@longhaul/client/types');
    process.stdout.write(declareTypes(jobTypes, new URL(server.url).host));
    return;
  }
  const state = ({ paused, liveWorkers }: TypeInUse) => (paused ? 'paused' : liveWorkers === 0 ? 'no worker' : `${liveWorkers} ${liveWorkers === 1 ? 'worker' : 'workers'}`);
  printList(jobTypes, { columns: { name: null, credits: null, pending: null, workers: state, description: null }, id: 'name' }, options);
}
