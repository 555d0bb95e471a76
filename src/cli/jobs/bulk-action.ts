import { randomUUID } from 'node:crypto';
import type { Client, JobFilter } from '@longhaul/client';
import { askMutation, failed } from '../ask-mutation.ts';
import { CommandError } from '../command-error.ts';
import { exitCodes } from '../exit-codes.ts';
import { onInterruption } from '../interruption.ts';
import { propertiesIn } from '../output/columns.ts';
import { type PrintOptions, printRecord, type Shape } from '../output/print-list.ts';
import { columnsOn, isTerminal } from '../output/terminal.ts';
import { barOf, barWidthOn } from '../progress/bar-line.ts';
import { Drawing } from '../progress/drawing.ts';

/** One thing done to many jobs by the server. */
interface BulkAction {
  id: string;
  kind: string;
  status: 'RUNNING' | 'COMPLETED' | 'STOPPED' | 'FAILED';
  total: { value: number; exact: boolean };
  seen: number;
  done: number;
  refusals: { code: string; count: number }[];
  error: { code: string; message: string } | null;
}

const fields = 'id kind status total { value exact } seen done refusals { code count } error { code message }';

export const bulkActionShape: Shape<BulkAction> = {
  columns: { id: null, kind: null, status: null, seen: null, done: null, refused: refusedIn },
  properties: propertiesIn(fields),
  id: 'id',
};

const startBulkAction = `mutation ($input: StartBulkActionInput!) { startBulkAction(input: $input) {
  ... on StartBulkActionPayload { bulkAction { ${fields} } } ${failed} } }`;

const bulkActionProgress = `subscription ($id: ID!) { bulkActionProgress(id: $id) { ${fields} } }`;

/** What is asked for. */
export interface BulkRequest {
  kind: 'CANCEL' | 'RETRY' | 'DELETE';
  filter: JobFilter;
  reason?: string | undefined;
}

/** Has the server do it to all jobs of the filter; shows how far it is, and prints what came of it. Exits with 1 where a job was refused. */
export async function runBulkAction(client: Client, request: BulkRequest, options: PrintOptions): Promise<void> {
  using interruption = onInterruption();
  const { signal } = interruption;
  let action: BulkAction | null = null;
  try {
    const input = { ...request, idempotencyKey: randomUUID() };
    ({ bulkAction: action } = await askMutation<{ bulkAction: BulkAction }>(client, startBulkAction, input, { signal }));
    action = await followToEnd(client, action, signal, options.quiet === true);
  } catch (error) {
    if (!signal.aborted) throw error;
    throw new CommandError(action === null ? 'Interrupted while the server was asked: it may do it nevertheless.' : `The server goes on with it: ${action.id}.`, interruption.exitCode);
  }
  const refused = refusedIn(action);
  printRecord(action, bulkActionShape, options);
  if (refused !== '') process.stderr.write(`Of ${action.seen} jobs ${action.seen - action.done} were left as they are. ${refused}\n`);
  if (action.error !== null) process.stderr.write(`${action.error.message}\n`);
  if (action.status !== 'COMPLETED' || refused !== '') process.exitCode = exitCodes.error;
}

function refusedIn({ refusals }: BulkAction): string {
  return refusals.map(({ code, count }) => `${code}: ${count}`).join(', ');
}

async function followToEnd(client: Client, begun: BulkAction, signal: AbortSignal, isQuiet: boolean): Promise<BulkAction> {
  let last = begun;
  const drawing = !isQuiet && isTerminal(process.stderr) ? new Drawing(process.stderr, () => [lineOf(last)]) : null;
  try {
    for await (const event of client.subscribe<{ bulkActionProgress: BulkAction }>(bulkActionProgress, { id: begun.id }, { signal })) last = event.bulkActionProgress;
  } finally {
    drawing?.[Symbol.dispose]();
  }
  return last;
}

function lineOf({ kind, total, seen, done }: BulkAction): string {
  return `${kind} ${barOf(total.value === 0 ? 100 : (100 * seen) / total.value, barWidthOn(columnsOn(process.stderr)))} ${done} done of ${total.value}${total.exact ? '' : ' or more'}`;
}
