import type { Client, JobLogLine, LogLevel } from '@longhaul/client';
import { type Command, Option } from 'commander';
import { CommandError } from '../command-error.ts';
import { connect, withServer } from '../connect.ts';
import type { ServerChoice } from '../contexts/choose-server.ts';
import { onInterruption } from '../interruption.ts';
import { plainText } from '../output/plain-text.ts';
import { type Colour, colour } from '../output/style.ts';

interface Options extends ServerChoice {
  follow?: true;
  level?: LogLevel;
  json?: true;
  jsonl?: true;
}

export function declare(command: Command): void {
  withServer(command)
    .argument('<id>', 'of the job')
    .option('-f, --follow', 'go on with the lines to come, until the job has ended')
    .addOption(new Option('--level <level>', 'that one and all above it').choices(['DEBUG', 'INFO', 'WARN', 'ERROR']))
    .option('--json', 'print JSON')
    .option('--jsonl', 'print JSON, a log line a line')
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

const query = `query ($id: ID!, $after: String, $level: LogLevel) { job(id: $id) { logs(first: 100, after: $after, level: $level) {
  edges { node { sequence attempt at level message fields } } pageInfo { hasNextPage endCursor } droppedLines } } }`;

interface Page {
  edges: { node: JobLogLine }[];
  pageInfo: { hasNextPage: boolean; endCursor: string | null };
  droppedLines: number;
}

interface Answer {
  job: { logs: Page } | null;
}

/** The lines that there are now. */
async function* writtenLines(client: Client, id: string, level: LogLevel | undefined, signal: AbortSignal | undefined): AsyncGenerator<JobLogLine> {
  let after: string | null = null;
  do {
    const { job }: Answer = await client.query<Answer>(query, { id, after, level }, { signal });
    if (job === null) throw new CommandError(`There is no job ${id} for this key. Check the id, and the workspace: longhaul whoami`);
    const { edges, pageInfo, droppedLines }: Page = job.logs;
    if (after === null && droppedLines > 0) process.stderr.write(`${droppedLines} lines before these were not kept.\n`);
    for (const { node } of edges) yield node;
    after = pageInfo.hasNextPage ? pageInfo.endCursor : null;
  } while (after !== null);
}

const colours: Record<LogLevel, Colour> = { DEBUG: 'dim', INFO: 'cyan', WARN: 'yellow', ERROR: 'red' };

function lineText({ at, level, message, fields }: JobLogLine): string {
  const more = fields === null ? '' : ` ${plainText(JSON.stringify(fields))}`;
  return `${at} ${colour(process.stdout, colours[level], level.padEnd(5))} ${plainText(message)}${more}`;
}
