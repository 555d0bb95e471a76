import type { Command } from 'commander';
import { actOnEach } from '../act-on-each.ts';
import { askMutation, refused } from '../ask-mutation.ts';
import { connect, withServerOptions } from '../connect.ts';
import type { ServerChoice } from '../contexts/choose-server.ts';
import { type PrintOptions, printList, withPrintOptions } from '../output/print-list.ts';
import { deliveryFields, deliveryShape, type ShownDelivery } from './delivery-shape.ts';

export function declare(command: Command): void {
  withPrintOptions(withServerOptions(command), deliveryShape).argument('<ids...>', 'of deliveries, as webhooks list shows them').action(redeliver);
}

const document = `mutation ($input: RedeliverWebhookInput!) { redeliverWebhook(input: $input) {
  ... on RedeliverWebhookPayload { delivery { ${deliveryFields} } } ${refused} } }`;

async function redeliver(ids: string[], options: ServerChoice & PrintOptions): Promise<void> {
  const client = await connect(options);
  const deliveries = await actOnEach(ids, async (id, signal) => (await askMutation<{ delivery: ShownDelivery }>(client, document, { id }, { signal })).delivery);
  printList(deliveries, deliveryShape, options);
}
