import { styleText } from 'node:util';
import type { Client, JobLogLine, LogLevel } from '@longhaul/client';
import { type Command, Option } from 'commander';
import { CommandError } from '../command-error.ts';
import { connect, withServerOptions } from '../connect.ts';
import type { ServerChoice } from '../contexts/choose-server.ts';
import { onInterruption } from '../interruption.ts';
import { choiceOption } from '../options.ts';
import { plainText } from '../output/plain-text.ts';
import type { Colour } from '../output/terminal.ts';
import { type Page, readItems } from '../read-pages.ts';
import { noSuchJob } from './no-such-job.ts';

interface Options extends ServerChoice {
  follow?: true;
  level?: LogLevel;
  json?: true;
  jsonl?: true;
}

export function declare(command: Command): void {
  withServerOptions(command)
    .argument('<id>', 'of the job')
    .option('-f, --follow', 'go on with the lines to come, until the job has ended')
    .addOption(choiceOption('--level <level>', 'that one and all above it', ['DEBUG', 'INFO', 'WARN', 'ERROR']))
    .option('--json', 'print JSON')
    .addOption(new Option('--jsonl', 'print JSON, a log line a line').conflicts('json'))
    .action(follow);
}

async function follow(id: string, options: Options): Promise<void> {
  const client = await connect(options);
  if (options.json === true) {
    const lines: JobLogLine[] = [];
    for await (const line of linesOf(client, id, options)) lines.push(line);
    process.stdout.write(`${JSON.stringify(lines, null, 2)}\n`);
    return;
  }
  using interruption = onInterruption();
  try {
    for await (const line of linesOf(client, id, options, interruption.signal)) process.stdout.write(`${options.jsonl === true ? JSON.stringify(line) : lineText(line)}\n`);
  } catch (error) {
    throw interruption.signal.aborted ? new CommandError('', interruption.exitCode) : error;
  }
}

function linesOf(client: Client, id: string, { follow: isFollowed, level }: Options, signal?: AbortSignal): AsyncIterable<JobLogLine> {
  return isFollowed === true ? client.handle(id).logs({ level, signal }) : writtenLines(client, id, level, signal);
}

const document = `query ($id: ID!, $first: Int, $after: String, $level: LogLevel) { job(id: $id) { logs(first: $first, after: $after, level: $level) {
  edges { node { sequence attempt at level message fields } } pageInfo { hasNextPage endCursor } droppedLines } } }`;

interface Answer {
  job: { logs: Page<JobLogLine> & { droppedLines: number } } | null;
}

/** The lines that there are now. */
function writtenLines(client: Client, id: string, level: LogLevel | undefined, signal: AbortSignal | undefined): AsyncIterable<JobLogLine> {
  let isTold = false;
  const pageIn = ({ job }: Answer) => {
    if (job === null) throw noSuchJob(id);
    const { droppedLines } = job.logs;
    if (droppedLines > 0 && !isTold) process.stderr.write(`${droppedLines} lines before these were not kept.\n`);
    isTold = true;
    return job.logs;
  };
  return readItems(client, { document, variables: { id, level }, pageIn }, Infinity, { signal });
}

const colours: Record<LogLevel, Colour> = { DEBUG: 'dim', INFO: 'cyan', WARN: 'yellow', ERROR: 'red' };

function lineText({ at, level, message, fields }: JobLogLine): string {
  const more = fields === null ? '' : ` ${plainText(JSON.stringify(fields))}`;
  return `${at} ${styleText(colours[level], level.padEnd(5), { stream: process.stdout })} ${plainText(message)}${more}`;
}
