import type { Command } from 'commander';
import { askMutation, failed } from '../ask-mutation.ts';
import { connect, withServerOptions } from '../connect.ts';
import type { ServerChoice } from '../contexts/choose-server.ts';
import { type PrintOptions, printRecord, withPrintOptions } from '../output/print-list.ts';
import { scheduleId } from './list-schedules.ts';

export function declare(command: Command): void {
  withPrintOptions(withServerOptions(command)).argument('<schedule>', 'its id or its name').action(trigger);
}

const document = `mutation ($input: TriggerScheduleInput!) { triggerSchedule(input: $input) {
  ... on TriggerSchedulePayload { job { id type status } } ${failed} } }`;

/** Creates a job now; its next occurrence stays. */
async function trigger(given: string, options: ServerChoice & PrintOptions): Promise<void> {
  const client = await connect(options);
  const { job } = await askMutation<{ job: { id: string; type: string; status: string } }>(client, document, { id: await scheduleId(client, given) });
  printRecord(job, { columns: { id: null, type: null, status: null }, id: 'id' }, options);
}
