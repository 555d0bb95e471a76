import { listApiKeys, listCreditTransactions } from '../../workspaces/find.ts';
import type { Workspace } from '../../workspaces/workspace.ts';
import { builder, globalIdDescription } from '../builder.ts';
import { pageCost, readPage } from '../connection.ts';
import { toGlobalId } from '../global-id.ts';
import { ApiKeyConnection, ApiKeyType } from './api-key.ts';
import { CreditTransactionConnection, CreditTransactionType } from './credit-transaction.ts';

export const WorkspaceType = builder.objectRef<Workspace>('Workspace');

builder.objectType(WorkspaceType, {
  description: 'A tenant. Jobs, keys and credits belong to one workspace and cannot be seen from another.',
  interfaces: [builder.nodeInterfaceRef()],
  fields: (t) => ({
    id: t.id({
      nullable: false,
      description: globalIdDescription,
      resolve: ({ id }) => toGlobalId('Workspace', id),
    }),
    name: t.exposeString('name', { nullable: false, description: '1 to 200 characters.' }),
    credits: t.exposeInt('credits', { nullable: false, description: 'The balance: the sum of creditTransactions.' }),
    concurrencyLimit: t.exposeInt('concurrencyLimit', {
      description: 'How many jobs of this workspace may run at once; null means unlimited.',
    }),
    apiKeys: t.connection(
      {
        type: ApiKeyType,
        nullable: false,
        description: 'ADMIN. Oldest first.',
        authScopes: { anyOf: ['ADMIN'] },
        complexity: pageCost,
        resolve: async ({ id }, args, { database, cursors }) => {
          const page = readPage(cursors, `keys ${id}`, args, 'ASC');
          return page.toConnection(await listApiKeys(database.em(), id, page.window));
        },
      },
      ApiKeyConnection,
    ),
    creditTransactions: t.connection(
      {
        type: CreditTransactionType,
        nullable: false,
        description: 'The ledger, newest first.',
        complexity: pageCost,
        resolve: async ({ id }, args, { database, cursors }) => {
          const page = readPage(cursors, `credits ${id}`, args, 'DESC');
          return page.toConnection(await listCreditTransactions(database.em(), id, page.window));
        },
      },
      CreditTransactionConnection,
    ),
  }),
});

export const WorkspaceConnection = builder.connectionObject(
  { type: WorkspaceType, name: 'WorkspaceConnection', description: 'A page of workspaces.' },
  { name: 'WorkspaceEdge', description: 'A workspace and its place in the list.' },
);
