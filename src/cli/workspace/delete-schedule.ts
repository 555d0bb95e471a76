import type { Command } from 'commander';
import { askMutation, failed } from '../ask-mutation.ts';
import { connect, withServerOptions } from '../connect.ts';
import type { ServerChoice } from '../contexts/choose-server.ts';
import { scheduleId } from './list-schedules.ts';

export function declare(command: Command): void {
  withServerOptions(command).argument('<schedule>', 'its id or its name').action(remove);
}

const document = `mutation ($input: DeleteScheduleInput!) { deleteSchedule(input: $input) { ... on DeleteSchedulePayload { id } ${failed} } }`;

/** Its jobs stay. */
async function remove(given: string, options: ServerChoice): Promise<void> {
  const client = await connect(options);
  const { id } = await askMutation<{ id: string }>(client, document, { id: await scheduleId(client, given) });
  process.stderr.write(`Deleted ${id}.\n`);
}
