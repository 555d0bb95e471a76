import { useQuery } from '../app/use-query.ts';
import { useRefresh } from '../app/use-refresh.ts';
import { href, route, setParams } from '../app/router.ts';
import { can } from '../app/session.ts';
import { Time } from '../app/time.tsx';
import { deliveryStates, eventNames } from '../app/webhook-words.ts';
import { type ListedDeliveryFragment, ListDeliveriesDocument, type WebhookDeliveryStatus } from '../generated/webhooks.ts';
import { Answer } from '../ui/answer.tsx';
import { Badge } from '../ui/badge.tsx';
import { Empty } from '../ui/empty.tsx';
import { ScreenFrame } from '../ui/screen-frame.tsx';
import { firstPage, pageOf, Pager } from '../ui/pager.tsx';
import { RefreshButton } from '../ui/refresh-button.tsx';
import { type Column, Table } from '../ui/table.tsx';
import { RedeliverButton } from './redeliver-button.tsx';
import { SecretRotation } from './secret-rotation.tsx';

const statuses: readonly WebhookDeliveryStatus[] = ['FAILED', 'PENDING', 'DELIVERED'];

/** The messages about jobs' ends, and what became of them. */
export function Screen() {
  const { params } = route.value;
  const asked = statuses.find((status) => status === params.get('status')) ?? null;
  const { loaded, reload } = useQuery(ListDeliveriesDocument, { ...(asked === null ? {} : { statuses: [asked] }), ...pageOf(params, 50) });
  // No subscription tells of deliveries.
  useRefresh(reload, 15);
  const columns: readonly Column<ListedDeliveryFragment>[] = [
    { name: 'State', cell: (delivery) => <State delivery={delivery} /> },
    {
      name: 'Job',
      cell: ({ job }) =>
        job === null ? (
          <span class="soft">deleted</span>
        ) : (
          <a class="cell-text" title={job.type} href={href(['jobs', job.id])}>
            {job.type}
          </a>
        ),
    },
    { name: 'Event', cell: ({ event }) => <code>{eventNames[event]}</code> },
    { name: 'Created', cell: ({ createdAt }) => <Time at={createdAt} /> },
    { name: 'To', cell: ({ url }) => <span class="cell-text" title={url}>{url}</span> },
    { name: 'Tries', kind: 'number', cell: ({ attemptCount }) => attemptCount },
    { name: 'Last answer', kind: 'wide', cell: (delivery) => <LastAnswer delivery={delivery} /> },
    ...(can('WRITE') ? [{ name: 'Actions', kind: 'actions' as const, cell: (delivery: ListedDeliveryFragment) => <RedeliverButton delivery={delivery} done={reload} /> }] : []),
  ];
  return (
    <ScreenFrame
      title="Webhooks"
      actions={
        <>
          <select aria-label="Which deliveries" value={asked ?? ''} onChange={({ currentTarget }) => setParams({ status: currentTarget.value, ...firstPage })}>
            <option value="">All</option>
            {statuses.map((status) => (
              <option key={status} value={status}>
                {deliveryStates[status].word}
              </option>
            ))}
          </select>
          {can('WRITE') && <SecretRotation />}
          <RefreshButton reload={reload} />
        </>
      }
    >
      <Answer loaded={loaded} reload={reload}>
        {({ workspace: { webhookDeliveries: deliveries } }) =>
          deliveries.edges.length === 0 ? (
            <Empty title={asked === null ? 'No webhooks yet' : 'None of these'}>
              <p>{asked === null ? 'A job that is created with a webhookUrl tells it when it has ended.' : 'Choose All to see the others.'}</p>
            </Empty>
          ) : (
            <>
              <Table caption="Webhook deliveries" columns={columns} rows={deliveries.edges.map(({ node }) => node)} keyOf={({ id }) => id} />
              <Pager page={deliveries.pageInfo} />
            </>
          )
        }
      </Answer>
    </ScreenFrame>
  );
}

function State({ delivery: { status, attemptCount } }: { delivery: ListedDeliveryFragment }) {
  if (status === 'PENDING' && attemptCount > 0) return <Badge tone="warn">Trying again</Badge>;
  return <Badge tone={deliveryStates[status].tone}>{deliveryStates[status].word}</Badge>;
}

function LastAnswer({ delivery: { status, lastError, lastResponseStatus, deliveredAt } }: { delivery: ListedDeliveryFragment }) {
  const answered = lastResponseStatus === null ? '' : `Status ${lastResponseStatus}`;
  if (status === 'DELIVERED') return <>{answered} <Time at={deliveredAt} /></>;
  if (lastError === null) return <span class="soft">{answered || 'Not tried yet'}</span>;
  return <span title={lastError}>{lastError}</span>;
}
