import type { JobFilter, JobStatus } from '@longhaul/client';
import type { Command } from 'commander';
import { UsageError } from '../command-error.ts';
import { choicesOption, gather, readInstant } from '../options.ts';
import { finalStatuses, openStatuses } from './job-statuses.ts';

/** By what jobs are found. */
export interface FilterOptions {
  status?: JobStatus[];
  type?: string[];
  tag?: string[];
  since?: string;
  before?: string;
  errorCode?: string[];
  worker?: string[];
  reference?: string;
}

export function withFilterOptions(command: Command): Command {
  return command
    .addOption(choicesOption('--status <status>', 'of this status; may be given several times, as those below', [...openStatuses, ...finalStatuses]))
    .option('--type <type>', 'of this type', gather)
    .option('--tag <tag>', 'that bear this tag, and every other one that is given', gather)
    .option('--since <instant>', 'created since: 2030-01-31T08:00:00Z, or -2h', readInstant)
    .option('--before <instant>', 'created before', readInstant)
    .option('--error-code <code>', 'that failed with this code', gather)
    .option('--worker <name>', 'of which this worker has had an attempt', gather)
    .option('--reference <text>', 'that their submitter named so');
}

/** The filter that the options say; null where they say nothing. */
export function filterOf(options: FilterOptions): JobFilter | null {
  const { status, type, tag, since, before, errorCode, worker, reference } = options;
  const filter = { statuses: status, types: type, tags: tag, createdAfter: since, createdBefore: before, errorCodes: errorCode, workerIds: worker, clientReference: reference };
  return Object.values(filter).every((one) => one === undefined) ? null : filter;
}

/** For a command that acts: ids, or a filter, or all of them, said so. */
export interface ActOptions extends FilterOptions {
  all?: true;
}

/** What to act on: of a filter those of these statuses, where it names none. @throws UsageError where it is not one of the three */
export function whatToActOn(ids: readonly string[], options: ActOptions, statuses: readonly JobStatus[]): { ids: readonly string[] } | { filter: JobFilter } {
  const filter = filterOf(options);
  const ways = [ids.length > 0, filter !== null, options.all === true].filter(Boolean).length;
  if (ways !== 1) throw new UsageError('Say on which jobs: ids, or a filter such as --tag or --type, or --all of the workspace.');
  return ids.length > 0 ? { ids: [...new Set(ids)] } : { filter: { ...filter, statuses: filter?.statuses ?? statuses } };
}
