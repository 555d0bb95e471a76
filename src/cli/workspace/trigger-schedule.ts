import type { Command } from 'commander';
import { askMutation, failed } from '../ask-mutation.ts';
import { connect, withServerOptions } from '../connect.ts';
import type { ServerChoice } from '../contexts/choose-server.ts';
import { propertiesIn } from '../output/columns.ts';
import { type PrintOptions, printRecord, type Shape, withPrintOptions } from '../output/print-list.ts';
import { scheduleId } from './list-schedules.ts';

interface TriggeredJob {
  id: string;
  type: string;
  status: string;
}

const fields = 'id type status';
const shape: Shape<TriggeredJob> = { columns: { id: null, type: null, status: null }, properties: propertiesIn(fields), id: 'id' };

export function declare(command: Command): void {
  withPrintOptions(withServerOptions(command), shape).argument('<schedule>', 'its id or its name').action(trigger);
}

const document = `mutation ($input: TriggerScheduleInput!) { triggerSchedule(input: $input) {
  ... on TriggerSchedulePayload { job { ${fields} } } ${failed} } }`;

/** Creates a job now; its next occurrence stays. */
async function trigger(given: string, options: ServerChoice & PrintOptions): Promise<void> {
  const client = await connect(options);
  const { job } = await askMutation<{ job: TriggeredJob }>(client, document, { id: await scheduleId(client, given) });
  printRecord(job, shape, options);
}
