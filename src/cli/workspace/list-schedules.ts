import type { Client } from '@longhaul/client';
import type { Command } from 'commander';
import { UsageError } from '../command-error.ts';
import { connect, withServerOptions } from '../connect.ts';
import type { ServerChoice } from '../contexts/choose-server.ts';
import { type PrintOptions, printList, withPrintOptions } from '../output/print-list.ts';
import { type Page, readFirst } from '../read-pages.ts';
import { scheduleFields, scheduleShape, type ShownSchedule } from './schedule-shape.ts';

export function declare(command: Command): void {
  withPrintOptions(withServerOptions(command), scheduleShape).action(list);
}

const document = `query ($first: Int, $after: String) { workspace { schedules(first: $first, after: $after) {
  edges { node { ${scheduleFields} } } pageInfo { hasNextPage endCursor } } } }`;

async function list(options: ServerChoice & PrintOptions): Promise<void> {
  printList(await readSchedules(await connect(options)), scheduleShape, options);
}

function readSchedules(client: Client): Promise<ShownSchedule[]> {
  return readFirst(client, { document, pageIn: ({ workspace }: { workspace: { schedules: Page<ShownSchedule> } }) => workspace.schedules });
}

/** The id of a schedule that is named by its id or its name. @throws UsageError where there is none */
export async function scheduleId(client: Client, given: string): Promise<string> {
  if (given.startsWith('schedule_')) return given;
  const found = (await readSchedules(client)).find(({ name }) => name === given);
  if (found === undefined) throw new UsageError(`There is no schedule ${given}. longhaul schedules list shows those that there are.`);
  return found.id;
}
