import type { Command } from 'commander';
import { codeOf, CommandError, exitCodeFor, reportError, UsageError } from '../command-error.ts';
import { connectTo, withServerOptions } from '../connect.ts';
import type { ServerChoice } from '../contexts/choose-server.ts';
import { exitCodes } from '../exit-codes.ts';
import { onInterruption } from '../interruption.ts';
import { choiceOption, gather, periodOption, wholeNumber } from '../options.ts';
import { shownPeriod } from '../output/amounts.ts';
import { oneLine } from '../output/plain-text.ts';
import { findProgram } from './find-program.ts';
import { type OutputForm, outputForms } from './printed-output.ts';
import { programHandler } from './program-handler.ts';
import { toldLinesHelp } from './told-line.ts';

interface Options extends ServerChoice {
  type: string[];
  concurrency: number;
  stdout: OutputForm;
  grace: number;
  drain: number;
  workerId?: string;
  healthPort?: number;
  quiet?: true;
}

const help = `
The command is run for each job. It finds the job's input as JSON on standard input, with the paths of downloaded files in place of
upload:…, and what it prints on standard output is the job's output. What it writes on standard error goes into the job's log.
  $LONGHAUL_OUTPUT       a folder: the files that it leaves there become the job's
  $LONGHAUL_FILES        a folder with the files of the input
  $LONGHAUL_CHECKPOINT   the checkpoint of an attempt before this one, as JSON; empty where there is none
  $LONGHAUL_JOB_ID, $LONGHAUL_JOB_TYPE, $LONGHAUL_ATTEMPT
The rest of its environment is the worker's, without Longhaul's own keys and secrets.

It exits with 0 when the job is done, with 75 where another attempt may help, and with another code where none would. Above 128, or
ended by a signal, is tried again. When the job is cancelled, its process group gets SIGTERM, and SIGKILL after --grace.
${toldLinesHelp}

For example: longhaul worker run --type words -- sh -c 'jq -r .text | wc -w'`;

export function declare(command: Command): void {
  withServerOptions(command)
    .argument('<command...>', 'after --: a program and its arguments')
    .requiredOption('--type <type>', 'of the jobs; may be given several times', gather)
    .option('-c, --concurrency <number>', 'jobs at the same time', wholeNumber(1, 1_000), 1)
    .addOption(choiceOption('--stdout <form>', 'what standard output is: JSON, text ({"text": …}), or JSON where it is JSON', outputForms).default('auto'))
    .addOption(periodOption('--grace <time>', 'between SIGTERM and SIGKILL', '4s'))
    .addOption(periodOption('--drain <time>', 'for which running jobs may go on after SIGTERM, SIGHUP or Ctrl-C, before they are handed back', '20s'))
    .option('--worker-id <name>', "the worker's name; the machine's and the process's number where not given")
    .option('--health-port <port>', 'where GET /health is answered', wholeNumber(1, 65_535))
    .option('-q, --quiet', 'tell nothing of jobs that begin and end')
    .addHelpText('after', help)
    .action(work);
}

/** Claims jobs until it is told to stop, and runs the command for each. */
async function work([program, ...parameters]: string[], options: Options): Promise<void> {
  const { type: types, concurrency, stdout: outputForm, grace, drain, workerId, healthPort, quiet } = options;
  if (program === undefined) throw new UsageError('Give the command that does the work, after --.');
  await findProgram(program);
  const { client, server } = await connectTo(options);
  const { startWorker } = await import('@longhaul/client/worker');
  const tell = (line: string) => void (quiet === true || process.stderr.write(`${oneLine(line)}\n`));
  const handlers = types.map((type) => programHandler(type, { command: [program, ...parameters], outputForm, grace, tell }));
  using interruption = onInterruption();
  const interrupted = new Promise<void>((resolve) => interruption.signal.addEventListener('abort', () => resolve()));
  const worker = await startWorker({
    client,
    handlers,
    concurrency,
    signals: false,
    drainSeconds: drain / 1_000,
    ...(workerId === undefined ? {} : { workerId }),
    ...(healthPort === undefined ? {} : { healthPort }),
    onError: (error) => void reportError(error),
  }).catch((error: unknown) => {
    throw isPortError(error) ? new CommandError(`Cannot listen on the port ${healthPort}: ${error.message}. Name another --health-port.`) : error;
  });
  tell(`${worker.workerId} waits for jobs of ${types.join(', ')} at ${server.url}, ${concurrency} at a time. Ctrl-C stops it.`);
  try {
    await Promise.race([worker.ended, interrupted]);
    const { running } = worker.state;
    if (running > 0) tell(`Stops, with ${running} running: what has not ended in ${shownPeriod(drain)} is handed back.`);
  } catch (error) {
    // It cannot go on. Why is told already, by onError.
    throw new CommandError('', exitCodeFor(error));
  } finally {
    await worker.stop();
  }
  // Told to stop by what supervises it, and stopped in good order.
  process.exitCode = interruption.by === 'SIGTERM' ? exitCodes.done : interruption.exitCode;
}

function isPortError(error: unknown): error is Error {
  return codeOf(error) === 'EADDRINUSE' || codeOf(error) === 'EACCES';
}
