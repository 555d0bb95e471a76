import type { Job } from '@longhaul/client';
import type { Command } from 'commander';
import { connect, withServerOptions } from '../connect.ts';
import type { ServerChoice } from '../contexts/choose-server.ts';
import { type PrintOptions, printList, withPrintOptions } from '../output/print-list.ts';
import { wholeNumber } from '../options.ts';
import { type FilterOptions, filterOf, withFilterOptions } from './job-filter.ts';
import { jobShape } from './job-shape.ts';

interface Options extends ServerChoice, FilterOptions, PrintOptions {
  limit: number;
  oldestFirst?: true;
}

export function declare(command: Command): void {
  withPrintOptions(withFilterOptions(withServerOptions(command)), jobShape)
    .option('--limit <number>', 'so many at most', wholeNumber(1, 1_000_000), 50)
    .option('--oldest-first', 'the oldest first, in place of the newest')
    .action(list);
}

async function list(options: Options): Promise<void> {
  const client = await connect(options);
  const { limit } = options;
  const jobs: Job[] = [];
  const order = options.oldestFirst === true ? 'OLDEST_FIRST' : 'NEWEST_FIRST';
  for await (const job of client.jobs(filterOf(options) ?? {}, { order, pageSize: Math.min(100, limit) })) {
    jobs.push(job);
    if (jobs.length === limit) break;
  }
  printList(jobs, jobShape, options);
}
