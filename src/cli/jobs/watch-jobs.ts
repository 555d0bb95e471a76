import type { Client, Job, Limits } from '@longhaul/client';
import type { Command } from 'commander';
import { UsageError } from '../command-error.ts';
import { connect, withServer } from '../connect.ts';
import type { ServerChoice } from '../contexts/choose-server.ts';
import { exitCodes } from '../exit-codes.ts';
import { onInterruption } from '../interruption.ts';
import { type PrintOptions, printList, withPrinting } from '../output/print-list.ts';
import { gather } from '../periods.ts';
import type { Display } from '../watching/display.ts';
import { exitCodeOf, followJob, watchUntilEnded, type WatchOptions, withWatching } from '../watching/watching.ts';
import { jobShape } from './job-shape.ts';
import { outputHelp, saveFiles } from './save-files.ts';
import { watchCommand } from './watch-command.ts';

interface Options extends ServerChoice, WatchOptions, Omit<PrintOptions, 'quiet' | 'jsonl'> {
  tag: string[];
  output?: string;
}

export function declare(command: Command): void {
  withPrinting(withWatching(withServer(command)))
    .argument('[ids...]', 'of the jobs')
    .option('--tag <tag>', 'watch the jobs of this tag until none goes on, with those that are created meanwhile; may be given several times', gather, [])
    .option('-o, --output <file>', outputHelp)
    .addHelpText('after', `\n--jsonl prints each change. Exits with 0 when all COMPLETED, ${exitCodes.failed} when one FAILED, ${exitCodes.cancelled} when one was CANCELLED.`)
    .action(watch);
}

/** Watches jobs to their ends, and prints how each ended. */
async function watch(ids: string[], options: Options): Promise<void> {
  const { tag: tags, output } = options;
  if ((ids.length === 0) === (tags.length === 0)) throw new UsageError('Say what to watch: ids of jobs, or --tag.');
  if (output !== undefined && ids.length !== 1) throw new UsageError('-o is for one job.');
  const client = await connect(options);
  using interruption = onInterruption();
  const open = new Set(ids);
  const again = () => watchCommand(ids.length > 0 ? ids : tags.flatMap((tag) => ['--tag', tag]), options);
  const jobs = await watchUntilEnded({ client, open, again }, options, interruption, (display, limits) =>
    ids.length > 0 ? watchIds(client, open, display, limits, options) : watchTags(client, tags, open, display, limits, options),
  );
  // With --jsonl each change was printed as it came.
  if (options.jsonl !== true) printList(jobs, jobShape, options);
  process.exitCode = exitCodeOf(jobs);
  const [job] = jobs;
  if (output !== undefined && job?.status === 'COMPLETED') await saveFiles(client, job, output, options.quiet === true, interruption);
}

/** In the order of the ids. */
async function watchIds(client: Client, open: Set<string>, display: Display, limits: Limits, options: WatchOptions): Promise<Job[]> {
  return Promise.all(
    [...open].map(async (id) => {
      const job = await followJob(client, id, display, limits, options);
      open.delete(id);
      return job;
    }),
  );
}

/** One subscription for all of them. */
async function watchTags(client: Client, tags: readonly string[], open: Set<string>, display: Display, limits: Limits, { jsonl }: WatchOptions): Promise<Job[]> {
  // Asked first, so that no change falls between the list and the subscription.
  const { jobUpdatesCursor } = await client.query<{ jobUpdatesCursor: string }>('{ jobUpdatesCursor }', {}, limits);
  const jobs = new Map<string, Job>();
  const take = (job: Job) => {
    const known = jobs.get(job.id);
    if (known !== undefined && known.version >= job.version) return;
    jobs.set(job.id, job);
    if (job.status === 'PENDING' || job.status === 'RUNNING') open.add(job.id);
    else open.delete(job.id);
    display.show(job);
    if (jsonl === true) process.stdout.write(`${JSON.stringify(job)}\n`);
  };
  for await (const job of client.jobs({ tags, statuses: ['PENDING', 'RUNNING'] }, { ...limits, order: 'OLDEST_FIRST', pageSize: 100 })) take(job);
  if (open.size === 0) {
    process.stderr.write(`No job of the tag ${tags.join(', ')} goes on.\n`);
    return [];
  }
  for await (const { job } of client.updates({ tags }, jobUpdatesCursor, limits)) {
    take(job);
    if (open.size === 0) break;
  }
  return [...jobs.values()];
}
