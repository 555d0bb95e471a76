import type { Command } from 'commander';
import { connect, withServerOptions } from '../connect.ts';
import type { ServerChoice } from '../contexts/choose-server.ts';
import { type PrintOptions, printList, printRecord, withPrintOptions } from '../output/print-list.ts';
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

export function declare(command: Command): void {
  withPrintOptions(withServerOptions(command))
    .option('--history', 'what changed the balance, the newest first')
    .option('--limit <number>', 'so many of the history at most', wholeNumber(1, 1_000_000), 50)
    .action(show);
}

const document = `query ($first: Int, $after: String) { workspace { creditTransactions(first: $first, after: $after) {
  edges { node { id kind amount balanceAfter createdAt job { id } } } pageInfo { hasNextPage endCursor } } } }`;

async function show(options: Options): Promise<void> {
  const client = await connect(options);
  if (options.history === true) {
    const transactions = await readFirst(client, { document, pageIn: ({ workspace }: { workspace: { creditTransactions: Page<Transaction> } }) => workspace.creditTransactions }, options.limit);
    printList(transactions, { columns: { createdAt: null, kind: null, amount: null, balanceAfter: null, job: ({ job }) => job?.id ?? null }, id: 'id' }, options);
    return;
  }
  const { workspace } = await client.query<{ workspace: { id: string; name: string; credits: number } }>('{ workspace { id name credits } }');
  printRecord(workspace, { columns: { workspace: ({ name }) => name, credits: null }, id: 'credits' }, options);
}
