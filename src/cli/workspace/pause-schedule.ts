import type { Command } from 'commander';
import { askMutation, failed } from '../ask-mutation.ts';
import { connect, withServerOptions } from '../connect.ts';
import type { ServerChoice } from '../contexts/choose-server.ts';
import { type PrintOptions, printRecord, withPrintOptions } from '../output/print-list.ts';
import { scheduleId } from './list-schedules.ts';
import { scheduleFields, scheduleShape, type ShownSchedule } from './schedule-shape.ts';

/** `schedules pause` and `schedules resume`. */
export function declare(command: Command): void {
  const paused = command.name() === 'pause';
  withPrintOptions(withServerOptions(command), scheduleShape)
    .argument('<schedule>', 'its id or its name')
    .action((given: string, options: ServerChoice & PrintOptions) => setPaused(given, paused, options));
}

const document = `mutation ($input: UpdateScheduleInput!) { updateSchedule(input: $input) {
  ... on UpdateSchedulePayload { schedule { ${scheduleFields} } } ${failed} } }`;

async function setPaused(given: string, paused: boolean, options: ServerChoice & PrintOptions): Promise<void> {
  const client = await connect(options);
  const { schedule } = await askMutation<{ schedule: ShownSchedule }>(client, document, { id: await scheduleId(client, given), paused });
  printRecord(schedule, scheduleShape, options);
}
