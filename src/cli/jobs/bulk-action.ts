import { randomUUID } from 'node:crypto';
import type { Client, JobFilter } from '@longhaul/client';
import { askMutation, failed } from '../ask-mutation.ts';
import { CommandError } from '../command-error.ts';
import { exitCodes } from '../exit-codes.ts';
import { onInterruption } from '../interruption.ts';
import { type PrintOptions, printRecord } from '../output/print-list.ts';
import { isTerminal } from '../output/style.ts';
import { barOf } from '../watching/bar-line.ts';
import { Drawing } from '../watching/drawing.ts';

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

const startBulkAction = `mutation ($input: StartBulkActionInput!) { startBulkAction(input: $input) {
  ... on StartBulkActionPayload { bulkAction { ${fields} } } ${failed} } }`;

/** Has the server do it to all jobs of the filter, null being all of the workspace; shows how far it is, and prints what came of it. */
export async function actOnMany(client: Client, kind: 'CANCEL' | 'RETRY' | 'DELETE', filter: JobFilter | null, reason: string | undefined, options: PrintOptions): Promise<void> {
  using interruption = onInterruption();
  const input = { kind, ...(filter === null ? { everything: true } : { filter }), reason, idempotencyKey: randomUUID() };
  let { bulkAction: action } = await askMutation<{ bulkAction: BulkAction }>(client, startBulkAction, input);
  const lines = () => [`${kind} ${barOf(action.total.value === 0 ? 100 : (100 * action.seen) / action.total.value)} ${action.done} done of ${action.total.value}${action.total.exact ? '' : ' or more'}`];
  using drawing = options.quiet !== true && isTerminal(process.stderr) ? new Drawing(process.stderr, lines) : null;
  const subscription = `subscription ($id: ID!) { bulkActionProgress(id: $id) { ${fields} } }`;
  try {
    for await (const { bulkActionProgress } of client.subscribe<{ bulkActionProgress: BulkAction }>(subscription, { id: action.id }, { signal: interruption.signal })) action = bulkActionProgress;
  } catch (error) {
    throw interruption.signal.aborted ? new CommandError(`The server goes on with it: ${action.id}.`, interruption.exitCode) : error;
  }
  drawing?.[Symbol.dispose]();
  const refused = (one: BulkAction) => one.refusals.map(({ code, count }) => `${code}: ${count}`).join(', ');
  printRecord(action, { columns: { id: null, kind: null, status: null, seen: null, done: null, refused }, id: 'id' }, options);
  if (action.error !== null) process.stderr.write(`${action.error.message}\n`);
  if (action.status !== 'COMPLETED') process.exitCode = exitCodes.error;
}

/** Does it to each job by itself, tells of those that refuse, and goes on. */
export async function actOnEach(ids: readonly string[], act: (id: string) => Promise<void>): Promise<void> {
  for (const id of ids) {
    try {
      await act(id);
    } catch (error) {
      // What concerns the key or the connection concerns them all.
      const code = error instanceof Error && 'code' in error ? String(error.code) : '';
      if (!['ALREADY_FINISHED', 'NOT_FOUND', 'NOT_RETRYABLE', 'INSUFFICIENT_CREDITS', 'QUEUE_FULL'].includes(code) || !(error instanceof Error)) throw error;
      process.stderr.write(`${id}: ${error.message}\n`);
      process.exitCode = exitCodes.error;
    }
  }
}
