import { type Command, Option } from 'commander';
import { CommandError } from '../command-error.ts';
import { connect, withServer } from '../connect.ts';
import type { ServerChoice } from '../contexts/choose-server.ts';
import { type PrintOptions, printList, withPrinting } from '../output/print-list.ts';
import { wholeNumber } from '../periods.ts';
import { type Page, readPages } from '../read-pages.ts';
import { deliveryFields, deliveryShape, type ShownDelivery } from './delivery-shape.ts';

interface Options extends ServerChoice, PrintOptions {
  status?: string;
  job?: string;
  limit: number;
}

export function declare(command: Command): void {
  withPrinting(withServer(command))
    .addOption(new Option('--status <status>', 'of this status').choices(['PENDING', 'DELIVERED', 'FAILED']))
    .option('--job <id>', 'of this job', undefined)
    .option('--limit <number>', 'so many at most, the newest first', wholeNumber(1, 1_000_000), 50)
    .action(list);
}

const page = `{ edges { node { ${deliveryFields} } } pageInfo { hasNextPage endCursor } }`;
const ofWorkspace = `query ($first: Int, $after: String, $statuses: [WebhookDeliveryStatus!]) {
  workspace { webhookDeliveries(first: $first, after: $after, statuses: $statuses) ${page} } }`;
const ofJob = `query ($id: ID!, $first: Int, $after: String) { job(id: $id) { webhookDeliveries(first: $first, after: $after) ${page} } }`;

type Holder = { webhookDeliveries: Page<ShownDelivery> };

async function list(options: Options): Promise<void> {
  const { status, job: id, limit } = options;
  const client = await connect(options);
  const deliveries =
    id === undefined
      ? await readPages(client, { document: ofWorkspace, variables: { statuses: status === undefined ? null : [status] }, pageIn: ({ workspace }: { workspace: Holder }) => workspace.webhookDeliveries, limit })
      : await readPages(client, { document: ofJob, variables: { id }, pageIn: ({ job }: { job: Holder | null }) => deliveriesOf(job, id), limit });
  const shown = id === undefined || status === undefined ? deliveries : deliveries.filter((one) => one.status === status);
  printList(shown, deliveryShape, options);
}

function deliveriesOf(job: Holder | null, id: string): Page<ShownDelivery> {
  if (job === null) throw new CommandError(`There is no job ${id} for this key. Check the id, and the workspace: longhaul whoami`);
  return job.webhookDeliveries;
}
