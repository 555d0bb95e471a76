import { type Command, Option } from 'commander';
import { connect, withServerOptions } from '../connect.ts';
import type { ServerChoice } from '../contexts/choose-server.ts';
import { choiceOption, gather, readInstant } from '../options.ts';
import { propertiesIn } from '../output/columns.ts';
import { type PrintOptions, printList, type Shape, withPrintOptions } from '../output/print-list.ts';

interface Options extends ServerChoice, PrintOptions {
  since: string;
  step: 'MINUTE' | 'HOUR' | 'DAY';
  type?: string[];
}

interface Point {
  at: string;
  created: number;
  completed: number;
  failed: number;
  cancelled: number;
  failedAttempts: number;
  waitP50: number | null;
  waitP95: number | null;
  runP50: number | null;
  runP95: number | null;
}

interface Counts {
  pending: number;
  scheduled: number;
  running: number;
  completed: number;
  failed: number;
  cancelled: number;
}

const fields = 'at created completed failed cancelled failedAttempts waitP50 waitP95 runP50 runP95';

const shape: Shape<Point> = {
  columns: {
    at: null,
    created: null,
    completed: null,
    failed: null,
    cancelled: null,
    failedAttempts: null,
    waitP50: ({ waitP50 }) => rounded(waitP50),
    waitP95: ({ waitP95 }) => rounded(waitP95),
    runP50: ({ runP50 }) => rounded(runP50),
    runP95: ({ runP95 }) => rounded(runP95),
  },
  properties: propertiesIn(fields),
  id: 'at',
};

export function declare(command: Command): void {
  withPrintOptions(withServerOptions(command), shape)
    .addOption(new Option('--since <instant>', 'from when on: -2h, -7d, or 2030-01-31T08:00:00Z').argParser(readInstant).default(readInstant('-1d'), '-1d'))
    .addOption(choiceOption('--step <step>', 'what a line stands for', ['MINUTE', 'HOUR', 'DAY']).default('HOUR'))
    .option('--type <type>', 'of jobs of this type; may be given several times', gather)
    .addHelpText('after', '\nWaits and runs are medians and 95th percentiles, in seconds. What waits and runs now is told on standard error.')
    .action(show);
}

const query = `query ($from: DateTime!, $to: DateTime!, $step: StatisticsStep!, $types: [String!]) { workspace {
  jobCounts { pending scheduled running completed failed cancelled }
  statistics(from: $from, to: $to, step: $step, types: $types) { ${fields} } } }`;

async function show(options: Options): Promise<void> {
  const client = await connect(options);
  const { since: from, step, type: types } = options;
  const { workspace } = await client.query<{ workspace: { jobCounts: Counts; statistics: Point[] } }>(query, { from, to: new Date().toISOString(), step, types });
  const { pending, scheduled, running, completed, failed, cancelled } = workspace.jobCounts;
  if (options.quiet !== true) {
    process.stderr.write(`${pending} pending (${scheduled} of them not due yet), ${running} running; ${completed} completed, ${failed} failed and ${cancelled} cancelled so far.\n`);
  }
  printList(workspace.statistics, shape, options);
}

function rounded(seconds: number | null): number | null {
  return seconds === null ? null : Math.round(seconds * 100) / 100;
}
