import './credits.css';
import { useSignal } from '@preact/signals';
import { useQuery } from '../app/use-query.ts';
import { useRefresh } from '../app/use-refresh.ts';
import { href, route } from '../app/router.ts';
import { can } from '../app/session.ts';
import { Time } from '../app/time.tsx';
import { type CreditTransactionKind, type LedgerLineFragment, ReadLedgerDocument } from '../generated/credits.ts';
import { Answer } from '../ui/answer.tsx';
import { Button } from '../ui/button.tsx';
import { Empty } from '../ui/empty.tsx';
import { ScreenFrame } from '../ui/screen-frame.tsx';
import { pageOf, Pager } from '../ui/pager.tsx';
import { RefreshButton } from '../ui/refresh-button.tsx';
import { type Column, Table } from '../ui/table.tsx';
import { GrantDialog } from './grant-dialog.tsx';

const kinds: Record<CreditTransactionKind, string> = { CHARGE: 'Charge for a job', GRANT: 'Added by an administrator', REFUND: 'Refund for a job' };

const columns: readonly Column<LedgerLineFragment>[] = [
  { name: 'When', cell: ({ createdAt }) => <Time at={createdAt} /> },
  { name: 'What', cell: ({ kind }) => kinds[kind] },
  { name: 'Credits', kind: 'number', cell: ({ amount }) => `${amount > 0 ? '+' : amount < 0 ? '−' : ''}${Math.abs(amount).toLocaleString('en')}` },
  { name: 'Balance', kind: 'number', cell: ({ balanceAfter }) => balanceAfter.toLocaleString('en') },
  { name: 'Job', kind: 'wide', cell: ({ kind, job }) => (job !== null ? <a href={href(['jobs', job.id])}>{job.type}</a> : kind === 'GRANT' ? null : <span class="soft">Deleted</span>) },
];

/** The balance, and every change of it. */
export function Screen() {
  const { loaded, reload } = useQuery(ReadLedgerDocument, pageOf(route.value.params, 50));
  const granting = useSignal(false);
  // No subscription tells of the ledger.
  useRefresh(reload, 15);
  return (
    <ScreenFrame
      title="Credits"
      actions={
        <>
          {can('ADMIN') && (
            <Button primary disabled={loaded.data === null} onClick={() => (granting.value = true)}>
              Add credits
            </Button>
          )}
          <RefreshButton reload={reload} />
        </>
      }
    >
      <Answer loaded={loaded} reload={reload}>
        {({ workspace }) => (
          <>
            <p class="balance">
              <strong>{workspace.credits.toLocaleString('en')}</strong> <span class="soft">credits left</span>
            </p>
            {workspace.creditTransactions.edges.length === 0 ? (
              <Empty title="Nothing was charged or added yet" />
            ) : (
              <>
                <Table caption="Ledger" columns={columns} rows={workspace.creditTransactions.edges.map(({ node }) => node)} keyOf={({ id }) => id} />
                <Pager page={workspace.creditTransactions.pageInfo} />
              </>
            )}
            {granting.value && <GrantDialog workspace={workspace} done={reload} onClose={() => (granting.value = false)} />}
          </>
        )}
      </Answer>
    </ScreenFrame>
  );
}
