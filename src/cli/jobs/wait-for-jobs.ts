import type { Client, Job, Limits } from '@longhaul/client';
import type { Command } from 'commander';
import { codeOf, CommandError } from '../command-error.ts';
import { exitCodes } from '../exit-codes.ts';
import type { Interruption } from '../interruption.ts';
import { readPeriod } from '../options.ts';
import { shownPeriod } from '../output/amounts.ts';
import { type PrintOptions, printLine } from '../output/print-list.ts';
import { isTerminal } from '../output/terminal.ts';
import { displayOn } from '../progress/choose-display.ts';
import type { Display } from '../progress/display.ts';
import { noSuchJob } from './no-such-job.ts';

/** How jobs are waited for. */
export interface WaitOptions extends Pick<PrintOptions, 'quiet' | 'jsonl' | 'columns'> {
  timeout?: number;
  cancelOnInterrupt?: true;
}

export function withWaitOptions(command: Command): Command {
  return command
    .option('--timeout <time>', `wait no longer, such as 90s or 5m: then exit with ${exitCodes.stillRunning}, and the job goes on`, readPeriod)
    .option('--cancel-on-interrupt', 'cancel what is watched at Ctrl-C, in place of leaving it');
}

/** What is being waited for, for whoever ends the wait early. */
interface AwaitedJobs {
  client: Client;
  /** Of the jobs that have not ended, as far as is known. */
  open: Set<string>;
  /** The command that watches them again. */
  again: () => string;
}

/** Where changes go, and the limits of a call that begins now. */
export interface Watching extends WaitOptions {
  display: Display;
  limits: () => Limits;
}

/**
 * Runs a watch to its end. The first interruption ends it with 130, and says how to go on, or cancels; so does `--timeout`, with 8, however
 * many calls the watch is made of. Where one of them fails, the others end.
 *
 * @throws CommandError
 */
export async function waitForJobs<T>({ client, open, again }: AwaitedJobs, options: WaitOptions, interruption: Interruption, watch: (watching: Watching) => Promise<T>): Promise<T> {
  const { timeout = Infinity, cancelOnInterrupt, quiet, jsonl } = options;
  const endsAt = performance.now() + timeout;
  const ended = new AbortController();
  const signal = AbortSignal.any([interruption.signal, ended.signal]);
  // On one terminal, bars and the lines of --jsonl would be written over each other.
  const isCrowded = jsonl === true && isTerminal(process.stdout) && isTerminal(process.stderr);
  const display = displayOn(process.stderr, quiet === true || isCrowded);
  try {
    return await watch({ ...options, display, limits: () => ({ signal, timeout: endsAt - performance.now() }) });
  } catch (error) {
    display[Symbol.dispose]();
    const code = codeOf(error);
    const what = open.size === 1 ? `The job ${[...open].join()} goes on` : `${open.size} jobs go on`;
    if (code === 'TIMED_OUT') {
      throw new CommandError(`${what}, after ${shownPeriod(timeout)}. Watch on: ${again()}`, exitCodes.stillRunning);
    }
    if (code !== 'ABORTED') throw error;
    if (cancelOnInterrupt === true) throw await cancelAll(client, open, interruption.exitCode);
    throw new CommandError(`${what}. Watch on: ${again()}`, interruption.exitCode);
  } finally {
    ended.abort();
    display[Symbol.dispose]();
  }
}

/** Follows one job to its end. @throws CommandError where there is none */
export async function followJob(client: Client, id: string, watching: Watching): Promise<Job> {
  let last: Job | null = null;
  try {
    for await (const job of client.handle(id).updates(watching.limits())) {
      last = job;
      showChange(job, watching);
    }
  } catch (error) {
    throw codeOf(error) === 'NOT_FOUND' ? noSuchJob(id) : error;
  }
  if (last === null) throw new CommandError(`The server showed no version of the job ${id}. Look at it: longhaul jobs get ${id}`);
  return last;
}

/** Shows a job as it is now, and with `--jsonl` prints it. */
export function showChange(job: Job, { display, ...options }: Watching): void {
  display.show(job);
  if (options.jsonl === true) printLine(job, options);
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
