import type { ListedType } from '@longhaul/client/types';
import type { Command } from 'commander';
import { connectTo, withServerOptions } from '../connect.ts';
import type { ServerChoice } from '../contexts/choose-server.ts';
import { propertiesIn } from '../output/columns.ts';
import { type PrintOptions, printList, type Shape, withPrintOptions } from '../output/print-list.ts';

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

const fields = 'name description credits maxAttempts timeoutSeconds builtIn liveWorkers pending paused inputSchema outputSchema';

const shape: Shape<TypeInUse> = {
  columns: { name: null, credits: null, pending: null, workers: workersOf, description: null },
  properties: propertiesIn(fields, ['inputSchema', 'outputSchema']),
  id: 'name',
};

export function declare(command: Command): void {
  withPrintOptions(withServerOptions(command), shape)
    .option('--typescript', 'print a module of the types of their inputs and outputs, for createClient<JobTypes>() of @longhaul/client')
    .action(list);
}

const query = `{ jobTypes { ${fields} } }`;

function workersOf({ paused, liveWorkers }: TypeInUse): string {
  return paused ? 'paused' : liveWorkers === 0 ? 'no worker' : `${liveWorkers} ${liveWorkers === 1 ? 'worker' : 'workers'}`;
}

async function list(options: Options): Promise<void> {
  const { client, server } = await connectTo(options);
  const { jobTypes } = await client.query<{ jobTypes: TypeInUse[] }>(query);
  if (options.typescript === true) {
    const { declareTypes } = await import('@longhaul/client/types');
    process.stdout.write(declareTypes(jobTypes, new URL(server.url).host));
    return;
  }
  printList(jobTypes, shape, options);
}
