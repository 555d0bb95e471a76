import type { CreditTransaction } from '../../workspaces/find.ts';
import { createdAtOf } from '../../database/ids.ts';
import { builder, globalIdDescription } from '../builder.ts';
import { toGlobalId } from '../global-id.ts';
import { findVisibleJob } from '../queries/visible-job.ts';
import { JobType } from './job.ts';

const CreditTransactionKindType = builder.enumType('CreditTransactionKind', {
  description: 'Why a balance changed.',
  values: {
    GRANT: { description: 'Granted by an administrator.' },
    CHARGE: { description: 'Paid for a job when it was created.' },
    REFUND: { description: 'Returned for a job that FAILED or was CANCELLED.' },
  } satisfies Record<CreditTransaction['kind'], { description: string }>,
});

export const CreditTransactionType = builder.objectRef<CreditTransaction>('CreditTransaction');

builder.objectType(CreditTransactionType, {
  description: "One line of a workspace's ledger. The balance is the sum of all of them, always.",
  interfaces: [builder.nodeInterfaceRef()],
  fields: (t) => ({
    id: t.id({
      nullable: false,
      description: globalIdDescription,
      resolve: ({ id }) => toGlobalId('CreditTransaction', id),
    }),
    kind: t.expose('kind', { type: CreditTransactionKindType, nullable: false, description: 'Why it changed.' }),
    amount: t.expose('amount', { type: 'BigInt', nullable: false, description: 'Credits, signed: a charge is negative.' }),
    balanceAfter: t.expose('balanceAfter', { type: 'BigInt', nullable: false, description: 'The balance after this line.' }),
    job: t.field({
      type: JobType,
      nullable: true,
      description:
        'READ. The job that was charged or refunded; null for a grant, for a job of another workspace, and after the job was deleted.',
      authScopes: { anyOf: ['READ'] },
      resolve: ({ jobId: id }, _args, context) => (id === null ? null : findVisibleJob(context, id)),
    }),
    createdAt: t.field({ type: 'DateTime', nullable: false, description: 'When it changed.', resolve: ({ id }) => createdAtOf(id) }),
  }),
});

export const CreditTransactionConnection = builder.connectionObject(
  { type: CreditTransactionType, name: 'CreditTransactionConnection', description: 'A page of the ledger.' },
  { name: 'CreditTransactionEdge', description: 'A line of the ledger and its place in the list.' },
);
