import type { Command } from 'commander';
import { askMutation, failed } from '../ask-mutation.ts';
import { connect, withServer } from '../connect.ts';
import type { ServerChoice } from '../contexts/choose-server.ts';
import { type PrintOptions, printList, withPrinting } from '../output/print-list.ts';
import { deliveryFields, deliveryShape, type ShownDelivery } from './delivery-shape.ts';

export function declare(command: Command): void {
  withPrinting(withServer(command)).argument('<ids...>', 'of deliveries, as webhooks list shows them').action(redeliver);
}

const document = `mutation ($input: RedeliverWebhookInput!) { redeliverWebhook(input: $input) {
  ... on RedeliverWebhookPayload { delivery { ${deliveryFields} } } ${failed} } }`;

async function redeliver(ids: string[], options: ServerChoice & PrintOptions): Promise<void> {
  const client = await connect(options);
  const deliveries: ShownDelivery[] = [];
  for (const id of ids) deliveries.push((await askMutation<{ delivery: ShownDelivery }>(client, document, { id })).delivery);
  printList(deliveries, deliveryShape, options);
}
