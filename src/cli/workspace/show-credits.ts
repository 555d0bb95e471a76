import type { Command } from 'commander';
import { connect, withServerOptions } from '../connect.ts';
import type { ServerChoice } from '../contexts/choose-server.ts';
import { propertiesIn } from '../output/columns.ts';
import { type PrintOptions, printList, printRecord, type Shape, withPrintOptions } from '../output/print-list.ts';
import { wholeNumber } from '../options.ts';
import { type Page, readFirst } from '../read-pages.ts';

interface Options extends ServerChoice, PrintOptions {
  history?: true;
  limit: number;
}

interface Transaction {
  id: string;
  kind: string;
  amount: number;
  balanceAfter: number;
  createdAt: string;
  job: { id: string } | null;
}

const transactionFields = 'id kind amount balanceAfter createdAt job { id }';

const transactionShape: Shape<Transaction> = {
  columns: { createdAt: null, kind: null, amount: null, balanceAfter: null, job: ({ job }) => job?.id ?? null },
  properties: propertiesIn(transactionFields),
  id: 'id',
};

interface Balance {
  id: string;
  name: string;
  credits: number;
}

const balanceFields = 'id name credits';

const balanceShape: Shape<Balance> = { columns: { workspace: ({ name }) => name, credits: null }, properties: propertiesIn(balanceFields), id: 'credits' };

export function declare(command: Command): void {
  withPrintOptions(withServerOptions(command), (given) => (given.opts<Options>().history === true ? transactionShape : balanceShape))
    .option('--history', 'what changed the balance, the newest first')
    .option('--limit <number>', 'so many of the history at most', wholeNumber(1, 1_000_000), 50)
    .action(show);
}

const document = `query ($first: Int, $after: String) { workspace { creditTransactions(first: $first, after: $after) {
  edges { node { ${transactionFields} } } pageInfo { hasNextPage endCursor } } } }`;

async function show(options: Options): Promise<void> {
  const client = await connect(options);
  if (options.history === true) {
    const transactions = await readFirst(client, { document, pageIn: ({ workspace }: { workspace: { creditTransactions: Page<Transaction> } }) => workspace.creditTransactions }, options.limit);
    printList(transactions, transactionShape, options);
    return;
  }
  const { workspace } = await client.query<{ workspace: Balance }>(`{ workspace { ${balanceFields} } }`);
  printRecord(workspace, balanceShape, options);
}
