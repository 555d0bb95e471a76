import type { Job } from '@longhaul/client';
import { type Command, Option } from 'commander';
import { connect, withServerOptions } from '../connect.ts';
import type { ServerChoice } from '../contexts/choose-server.ts';
import { exitCodes } from '../exit-codes.ts';
import { onInterruption } from '../interruption.ts';
import { stateOf } from '../progress/change-lines.ts';
import { type CreationOptions, createJob, withCreationOptions } from './job-creation.ts';
import { outputOption } from './output-option.ts';
import { saveFiles } from './save-files.ts';
import { exitCodeOf, followJob, waitForJobs, type WaitOptions, withWaitOptions } from './wait-for-jobs.ts';
import { watchCommand } from './watch-command.ts';

interface RunOptions extends ServerChoice, CreationOptions, WaitOptions {
  output?: string;
  json?: true;
}

export function declare(command: Command): void {
  withWaitOptions(withCreationOptions(withServerOptions(command)))
    .addOption(outputOption())
    .option('--json', 'print the whole job at its end, in place of its output')
    .addOption(new Option('--jsonl', 'print the job at each change, a line each, in place of its output').conflicts('json'))
    .option('-q, --quiet', 'show no progress')
    .addHelpText('after', `\nExits with 0 when the job COMPLETED, ${exitCodes.failed} FAILED, ${exitCodes.cancelled} CANCELLED, ${exitCodes.stillRunning} at --timeout, ${exitCodes.interrupted} at Ctrl-C.`)
    .action(run);
}

/** Creates a job, watches it to its end, prints its output and downloads its file. */
async function run(type: string, options: RunOptions): Promise<void> {
  const client = await connect(options);
  using interruption = onInterruption();
  const { id } = await createJob(client, type, options, interruption);
  const awaited = { client, open: new Set([id]), again: () => watchCommand([id], options) };
  const job = await waitForJobs(awaited, options, interruption, (watching) => followJob(client, id, watching));
  print(job, options);
  process.exitCode = exitCodeOf([job]);
  // Otherwise the progress has shown it.
  if (options.quiet === true && job.status !== 'COMPLETED') process.stderr.write(`${id} ${stateOf(job)}\n`);
  if (job.status === 'COMPLETED' && options.output !== undefined) await saveFiles(client, job, options.output, options.quiet === true, interruption);
}

function print(job: Job, { json, jsonl }: RunOptions): void {
  if (json === true) process.stdout.write(`${JSON.stringify(job, null, 2)}\n`);
  else if (jsonl !== true && job.status === 'COMPLETED') process.stdout.write(`${JSON.stringify(job.output, null, 2)}\n`);
}
