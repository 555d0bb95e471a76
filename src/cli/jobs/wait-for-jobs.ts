import type { Client, Job, Limits } from '@longhaul/client';
import type { Command } from 'commander';
import { CommandError } from '../command-error.ts';
import { exitCodes } from '../exit-codes.ts';
import type { Interruption } from '../interruption.ts';
import { readPeriod, shownPeriod } from '../periods.ts';
import type { Display } from './display.ts';
import { displayOn } from './choose-display.ts';

/** How jobs are waited for. */
export interface WatchOptions {
  timeout?: number;
  cancelOnInterrupt?: true;
  quiet?: true;
  jsonl?: true;
}

export function withWatching(command: Command): Command {
  return command
    .option('--timeout <time>', `wait no longer, such as 90s or 5m: then exit with ${exitCodes.stillRunning}, and the job goes on`, readPeriod)
    .option('--cancel-on-interrupt', 'cancel what is watched at Ctrl-C, in place of leaving it');
}

/** What is being watched, for whoever ends the watch early. */
export interface Watched {
  client: Client;
  /** Of the jobs that have not ended, as far as is known. */
  open: Set<string>;
  /** The command that watches them again. */
  again: () => string;
}

/**
 * Runs a watch to its end. The first interruption ends it with 130, and says how to go on, or cancels; so does `--timeout`, with 8.
 *
 * @throws CommandError
 */
export async function watchUntilEnded<T>(
  { client, open, again }: Watched,
  { timeout, cancelOnInterrupt, quiet }: WatchOptions,
  interruption: Interruption,
  work: (display: Display, limits: Limits) => Promise<T>,
): Promise<T> {
  const display = displayOn(process.stderr, quiet === true);
  try {
    return await work(display, { signal: interruption.signal, timeout });
  } catch (error) {
    display[Symbol.dispose]();
    const code = error instanceof Error && 'code' in error ? error.code : null;
    const what = open.size === 1 ? `The job ${[...open].join()} goes on` : `${open.size} jobs go on`;
    if (code === 'TIMED_OUT') {
      throw new CommandError(`${what}, after ${shownPeriod(timeout ?? 0)}. Watch on: ${again()}`, exitCodes.stillRunning);
    }
    if (code !== 'ABORTED') throw error;
    if (cancelOnInterrupt === true) throw await cancelAll(client, open, interruption.exitCode);
    throw new CommandError(`${what}. Watch on: ${again()}`, interruption.exitCode);
  } finally {
    display[Symbol.dispose]();
  }
}

/** Follows one job to its end. */
export async function followJob(client: Client, id: string, display: Display, limits: Limits, { jsonl }: WatchOptions): Promise<Job> {
  let last: Job | null = null;
  for await (const job of client.handle(id).updates(limits)) {
    last = job;
    display.show(job);
    if (jsonl === true) process.stdout.write(`${JSON.stringify(job)}\n`);
  }
  if (last === null) throw new CommandError(`The server showed no version of the job ${id}. Look at it: longhaul jobs get ${id}`);
  return last;
}

/** What jobs that have ended let the command exit with: a failed one counts most. */
export function exitCodeOf(jobs: readonly Pick<Job, 'status'>[]): number {
  if (jobs.some(({ status }) => status === 'FAILED')) return exitCodes.failed;
  return jobs.some(({ status }) => status === 'CANCELLED') ? exitCodes.cancelled : exitCodes.done;
}

async function cancelAll(client: Client, ids: ReadonlySet<string>, exitCode: number): Promise<CommandError> {
  const outcomes = await Promise.allSettled([...ids].map((id) => client.handle(id).cancel('Interrupted at the terminal.', { timeout: 10_000 })));
  const told = outcomes.map((outcome, index) => {
    const id = [...ids][index] ?? '';
    return outcome.status === 'fulfilled' ? `Cancelled ${id}.` : `${id} was not cancelled: ${outcome.reason instanceof Error ? outcome.reason.message : String(outcome.reason)}`;
  });
  return new CommandError(told.join('\n'), exitCode);
}
