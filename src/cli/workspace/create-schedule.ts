import type { Command } from 'commander';
import { askMutation, failed } from '../ask-mutation.ts';
import { connect, withServerOptions } from '../connect.ts';
import type { ServerChoice } from '../contexts/choose-server.ts';
import { inputHelp, readInput } from '../jobs/input-parts.ts';
import { choiceOption, listOption, wholeNumber } from '../options.ts';
import { type PrintOptions, printRecord, withPrintOptions } from '../output/print-list.ts';
import { scheduleFields, scheduleShape, type ShownSchedule } from './schedule-shape.ts';

interface Options extends ServerChoice, PrintOptions {
  cron: string;
  timeZone?: string;
  input: string[];
  tag: string[];
  priority?: number;
  overlap?: string;
}

export function declare(command: Command): void {
  withPrintOptions(withServerOptions(command), scheduleShape)
    .argument('<name>', 'of the schedule')
    .argument('<type>', 'of its jobs')
    .requiredOption('--cron <expression>', "five fields, or six with seconds first: --cron '0 6 * * 1'")
    .option('--time-zone <name>', 'such as Europe/Berlin; UTC where not given')
    .addOption(listOption('-i, --input <part>', 'a part of the input of its jobs'))
    .addOption(listOption('--tag <tag>', 'a tag of its jobs; may be given several times'))
    .option('--priority <number>', 'of its jobs, from -100 to 100', wholeNumber(-100, 100))
    .addOption(choiceOption('--overlap <way>', 'SKIP: no job while the last one goes on', ['ALLOW', 'SKIP']))
    .addHelpText('after', inputHelp)
    .action(add);
}

const document = `mutation ($input: CreateScheduleInput!) { createSchedule(input: $input) {
  ... on CreateSchedulePayload { schedule { ${scheduleFields} } } ${failed} } }`;

async function add(name: string, type: string, options: Options): Promise<void> {
  const { cron, timeZone, tag: tags, priority, overlap } = options;
  const client = await connect(options);
  const input = { name, type, cron, timeZone, input: await readInput(options.input), tags, priority, overlap };
  const { schedule } = await askMutation<{ schedule: ShownSchedule }>(client, document, input);
  printRecord(schedule, scheduleShape, options);
}
