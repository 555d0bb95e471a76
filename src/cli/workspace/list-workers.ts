import type { Command } from 'commander';
import { connect, withServerOptions } from '../connect.ts';
import type { ServerChoice } from '../contexts/choose-server.ts';
import { propertiesIn } from '../output/columns.ts';
import { type PrintOptions, printList, type Shape, withPrintOptions } from '../output/print-list.ts';
import { wholeNumber } from '../options.ts';
import { type Page, readFirst } from '../read-pages.ts';

interface SeenWorker {
  id: string;
  name: string;
  types: string[];
  running: number;
  alive: boolean;
  lastSeenAt: string;
}

interface Options extends ServerChoice, PrintOptions {
  gone?: true;
  limit: number;
}

const fields = 'id name types running alive firstSeenAt lastSeenAt';

const shape: Shape<SeenWorker> = {
  columns: { name: null, running: null, alive: null, lastSeenAt: null, types: null },
  properties: propertiesIn(fields, ['types']),
  id: 'id',
};

export function declare(command: Command): void {
  withPrintOptions(withServerOptions(command), shape)
    .option('--gone', 'those that have not been heard of within the last minute, in place of those that are alive')
    .option('--limit <number>', 'so many at most', wholeNumber(1, 1_000_000), 100)
    .action(list);
}

const document = `query ($first: Int, $after: String, $alive: Boolean) { workspace { workers(first: $first, after: $after, alive: $alive) {
  edges { node { ${fields} } } pageInfo { hasNextPage endCursor } } } }`;

async function list(options: Options): Promise<void> {
  const client = await connect(options);
  const workers = await readFirst(client, { document, variables: { alive: options.gone !== true }, pageIn: ({ workspace }: { workspace: { workers: Page<SeenWorker> } }) => workspace.workers }, options.limit);
  printList(workers, shape, options);
}
