import type { Command } from 'commander';
import { connect, withServerOptions } from '../connect.ts';
import type { ServerChoice } from '../contexts/choose-server.ts';
import { propertiesIn } from '../output/columns.ts';
import { type PrintOptions, printList, type Shape, withPrintOptions } from '../output/print-list.ts';
import { type Page, readFirst } from '../read-pages.ts';

/** A key, as far as it is ever shown. */
export interface ShownKey {
  id: string;
  name: string;
  prefix: string;
  scopes: string[];
  dialect: string;
  createdAt: string;
  lastUsedAt: string | null;
  revokedAt: string | null;
}

export const keyFields = 'id name prefix scopes dialect createdAt lastUsedAt revokedAt';

export const keyShape: Shape<ShownKey> = {
  columns: { id: null, name: null, prefix: null, scopes: null, dialect: null, lastUsedAt: null, revokedAt: null },
  properties: propertiesIn(keyFields, ['scopes']),
  id: 'id',
};

export function declare(command: Command): void {
  withPrintOptions(withServerOptions(command), keyShape).addHelpText('after', '\nNeeds a key with ADMIN.').action(list);
}

const document = `query ($first: Int, $after: String) { workspace { apiKeys(first: $first, after: $after) {
  edges { node { ${keyFields} } } pageInfo { hasNextPage endCursor } } } }`;

async function list(options: ServerChoice & PrintOptions): Promise<void> {
  printList(await readFirst(await connect(options), { document, pageIn: ({ workspace }: { workspace: { apiKeys: Page<ShownKey> } }) => workspace.apiKeys }), keyShape, options);
}
