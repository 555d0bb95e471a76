import type { Command } from 'commander';
import { askMutation, failed } from '../ask-mutation.ts';
import { connect, withServerOptions } from '../connect.ts';
import { askCaller } from '../contexts/caller-query.ts';
import type { ServerChoice } from '../contexts/choose-server.ts';
import { choicesOption } from '../options.ts';
import { type PrintOptions, printRecord, type Shape, withPrintOptions } from '../output/print-list.ts';
import { keyFields, keyShape, type ShownKey } from './list-keys.ts';

interface Options extends ServerChoice, PrintOptions {
  scope: string[];
  workspace?: string;
}

const scopes = ['READ', 'WRITE', 'WORK', 'WORK_ALL', 'ADMIN'];

const shape: Shape<ShownKey & { secret: string }> = {
  columns: { id: null, name: null, scopes: null, secret: null },
  properties: { ...keyShape.properties, secret: null },
  id: 'secret',
};

export function declare(command: Command): void {
  withPrintOptions(withServerOptions(command), shape)
    .argument('<name>', 'of the key')
    .addOption(choicesOption('--scope <scope>', 'what it may do; may be given several times', scopes).makeOptionMandatory())
    .option('--workspace <id>', 'the workspace that it is for; that of the key in use where not given')
    .addHelpText('after', '\nThe secret is printed this once. Needs a key with ADMIN.')
    .action(create);
}

const document = `mutation ($input: CreateApiKeyInput!) { createApiKey(input: $input) {
  ... on CreateApiKeyPayload { apiKey { ${keyFields} } secret } ${failed} } }`;

async function create(name: string, options: Options): Promise<void> {
  const client = await connect(options);
  const workspaceId = options.workspace ?? (await askCaller(client)).workspace.id;
  const { apiKey, secret } = await askMutation<{ apiKey: ShownKey; secret: string }>(client, document, { workspaceId, name, scopes: options.scope });
  printRecord({ ...apiKey, secret }, shape, options);
}
