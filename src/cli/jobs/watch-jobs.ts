import type { Client, Job } from '@longhaul/client';
import type { Command } from 'commander';
import { UsageError } from '../command-error.ts';
import { connect, withServerOptions } from '../connect.ts';
import type { ServerChoice } from '../contexts/choose-server.ts';
import { exitCodes } from '../exit-codes.ts';
import { onInterruption } from '../interruption.ts';
import { listOption } from '../options.ts';
import { type PrintOptions, printList, withPrintOptions } from '../output/print-list.ts';
import { jobShape } from './job-shape.ts';
import { isFinal, openStatuses } from './job-statuses.ts';
import { outputOption } from './output-option.ts';
import { saveFiles } from './save-files.ts';
import { exitCodeOf, followJob, showChange, waitForJobs, type WaitOptions, type Watching, withWaitOptions } from './wait-for-jobs.ts';
import { watchCommand } from './watch-command.ts';

interface Options extends ServerChoice, WaitOptions, PrintOptions {
  tag: string[];
  output?: string;
}

export function declare(command: Command): void {
  withPrintOptions(withWaitOptions(withServerOptions(command)), jobShape)
    .argument('[ids...]', 'of the jobs')
    .addOption(listOption('--tag <tag>', 'watch the jobs of this tag until none goes on, with those that are created meanwhile; may be given several times'))
    .addOption(outputOption())
    .addHelpText('after', `\n--jsonl prints each change. Exits with 0 when all COMPLETED, ${exitCodes.failed} when one FAILED, ${exitCodes.cancelled} when one was CANCELLED.`)
    .action(watch);
}

/** Watches jobs to their ends, and prints how each ended. */
async function watch(given: string[], options: Options): Promise<void> {
  const { tag: tags, output } = options;
  const ids = [...new Set(given)];
  if ((ids.length === 0) === (tags.length === 0)) throw new UsageError('Say what to watch: ids of jobs, or --tag.');
  if (output !== undefined && ids.length !== 1) throw new UsageError('-o is for one job.');
  const client = await connect(options);
  using interruption = onInterruption();
  const open = new Set(ids);
  const again = () => watchCommand(ids.length > 0 ? ids : tags.flatMap((tag) => ['--tag', tag]), options);
  const jobs = await waitForJobs({ client, open, again }, options, interruption, (watching) =>
    ids.length > 0 ? watchIds(client, open, watching) : watchTags(client, tags, open, watching),
  );
  // With --jsonl each change was printed as it came.
  if (options.jsonl !== true) printList(jobs, jobShape, options);
  process.exitCode = exitCodeOf(jobs);
  const [job] = jobs;
  if (output !== undefined && job?.status === 'COMPLETED') await saveFiles(client, job, output, options.quiet === true, interruption);
}

/** In the order of the ids. */
async function watchIds(client: Client, open: Set<string>, watching: Watching): Promise<Job[]> {
  return Promise.all(
    [...open].map(async (id) => {
      const job = await followJob(client, id, watching);
      open.delete(id);
      return job;
    }),
  );
}

/** One subscription for all of them. */
async function watchTags(client: Client, tags: readonly string[], open: Set<string>, watching: Watching): Promise<Job[]> {
  const { limits } = watching;
  // Asked first, so that no change falls between the list and the subscription.
  const { jobUpdatesCursor } = await client.query<{ jobUpdatesCursor: string }>('{ jobUpdatesCursor }', {}, limits());
  const jobs = new Map<string, Job>();
  const take = (job: Job) => {
    const known = jobs.get(job.id);
    if (known !== undefined && known.version >= job.version) return;
    jobs.set(job.id, job);
    if (isFinal(job.status)) open.delete(job.id);
    else open.add(job.id);
    showChange(job, watching);
  };
  for await (const job of client.jobs({ tags, statuses: openStatuses }, { ...limits(), order: 'OLDEST_FIRST', pageSize: 100 })) take(job);
  if (open.size === 0) {
    process.stderr.write(`No job of the tag ${tags.join(', ')} goes on.\n`);
    return [];
  }
  for await (const { job } of client.updates({ tags }, jobUpdatesCursor, limits())) {
    take(job);
    if (open.size === 0) break;
  }
  return [...jobs.values()];
}
