import type { Client } from '@longhaul/client';
import type { Command } from 'commander';
import { connect, withServerOptions } from '../connect.ts';
import type { ServerChoice } from '../contexts/choose-server.ts';
import { noSuchJob } from '../jobs/no-such-job.ts';
import { choiceOption, wholeNumber } from '../options.ts';
import { type PrintOptions, printList, withPrintOptions } from '../output/print-list.ts';
import { type Page, readFirst } from '../read-pages.ts';
import { type ListedDelivery, listedDeliveryFields, listedDeliveryShape } from './delivery-shape.ts';

interface Options extends ServerChoice, PrintOptions {
  status?: string;
  job?: string;
  limit: number;
}

export function declare(command: Command): void {
  withPrintOptions(withServerOptions(command), listedDeliveryShape)
    .addOption(choiceOption('--status <status>', 'of this status', ['PENDING', 'DELIVERED', 'FAILED']))
    .option('--job <id>', 'of this job')
    .option('--limit <number>', 'so many at most, the newest first', wholeNumber(1, 1_000_000), 50)
    .action(list);
}

const page = `{ edges { node { ${listedDeliveryFields} } } pageInfo { hasNextPage endCursor } }`;
const ofWorkspace = `query ($first: Int, $after: String, $statuses: [WebhookDeliveryStatus!]) {
  workspace { webhookDeliveries(first: $first, after: $after, statuses: $statuses) ${page} } }`;
const ofJob = `query ($id: ID!, $first: Int, $after: String) { job(id: $id) { webhookDeliveries(first: $first, after: $after) ${page} } }`;

type Holder = { webhookDeliveries: Page<ListedDelivery> };

async function list(options: Options): Promise<void> {
  const { status, job: id, limit } = options;
  const client = await connect(options);
  const deliveries = id === undefined ? await deliveriesOfWorkspace(client, status, limit) : await deliveriesOfJob(client, id, status, limit);
  printList(deliveries, listedDeliveryShape, options);
}

function deliveriesOfWorkspace(client: Client, status: string | undefined, limit: number): Promise<ListedDelivery[]> {
  const statuses = status === undefined ? null : [status];
  return readFirst(client, { document: ofWorkspace, variables: { statuses }, pageIn: ({ workspace }: { workspace: Holder }) => workspace.webhookDeliveries }, limit);
}

/** The API tells those of a job apart by no status: they are few. */
function deliveriesOfJob(client: Client, id: string, status: string | undefined, limit: number): Promise<ListedDelivery[]> {
  const pageIn = ({ job }: { job: Holder | null }) => {
    if (job === null) throw noSuchJob(id);
    return job.webhookDeliveries;
  };
  return readFirst(client, { document: ofJob, variables: { id }, pageIn }, limit, (one) => status === undefined || one.status === status);
}
