import type { Command } from 'commander';
import { actOnEach } from '../act-on-each.ts';
import { askMutation, failed } from '../ask-mutation.ts';
import { connect, withServerOptions } from '../connect.ts';
import type { ServerChoice } from '../contexts/choose-server.ts';
import { type PrintOptions, printList, withPrintOptions } from '../output/print-list.ts';
import { keyFields, keyShape, type ShownKey } from './list-keys.ts';

export function declare(command: Command): void {
  withPrintOptions(withServerOptions(command), keyShape).argument('<ids...>', 'of keys, as keys list shows them').addHelpText('after', '\nNeeds a key with ADMIN.').action(revoke);
}

const document = `mutation ($input: RevokeApiKeyInput!) { revokeApiKey(input: $input) {
  ... on RevokeApiKeyPayload { apiKey { ${keyFields} } } ${failed} } }`;

async function revoke(ids: string[], options: ServerChoice & PrintOptions): Promise<void> {
  const client = await connect(options);
  const revoked = await actOnEach(ids, async (id, signal) => (await askMutation<{ apiKey: ShownKey }>(client, document, { id }, { signal })).apiKey);
  printList(revoked, keyShape, options);
}
