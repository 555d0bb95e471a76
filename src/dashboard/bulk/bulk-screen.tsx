import './bulk.css';
import { useQuery } from '../app/use-query.ts';
import { useRefresh } from '../app/use-refresh.ts';
import { href, route } from '../app/router.ts';
import { can } from '../app/session.ts';
import { Time } from '../app/time.tsx';
import { type ListedBulkActionFragment, ListBulkActionsDocument } from '../generated/bulk.ts';
import { Answer } from '../ui/answer.tsx';
import { Badge } from '../ui/badge.tsx';
import { Bar } from '../ui/bar.tsx';
import { Empty } from '../ui/empty.tsx';
import { ScreenFrame } from '../ui/screen-frame.tsx';
import { pageOf, Pager } from '../ui/pager.tsx';
import { RefreshButton } from '../ui/refresh-button.tsx';
import { type Column, Table } from '../ui/table.tsx';
import { bulkKinds, bulkStates, doneText, filterText, percentageOf, seenText } from './bulk-words.ts';
import { useLiveActions } from './live-actions.ts';
import { StopButton } from './stop-button.tsx';

/** What was done to many jobs at once. */
export function Screen() {
  const { loaded, reload } = useQuery(ListBulkActionsDocument, pageOf(route.value.params, 25));
  const actions = useLiveActions((loaded.data?.workspace.bulkActions.edges ?? []).map(({ node }) => node));
  // What runs is watched; that another one was started is told by no subscription.
  useRefresh(reload, 15);
  const columns: readonly Column<ListedBulkActionFragment>[] = [
    { name: 'Action', cell: ({ kind, filter, reason }) => <What kind={bulkKinds[kind].verb} filter={filterText(filter)} reason={reason} /> },
    { name: 'State', cell: ({ status }) => <Badge tone={bulkStates[status].tone}>{bulkStates[status].word}</Badge> },
    { name: 'Progress', cell: (action) => <Progress action={action} /> },
    { name: 'Outcome', cell: (action) => <Outcome action={action} /> },
    { name: 'Started', cell: ({ createdAt }) => <Time at={createdAt} /> },
    { name: 'Ended', cell: ({ finishedAt }) => <Time at={finishedAt} /> },
    ...(can('WRITE') ? [{ name: 'Actions', kind: 'actions' as const, cell: ({ id, status }: ListedBulkActionFragment) => (status === 'RUNNING' ? <StopButton id={id} done={reload} /> : null) }] : []),
  ];
  return (
    <ScreenFrame
      title="Bulk actions"
      actions={
        <>
          {can('WRITE') && <a class="button" href={href(['jobs'])}>Choose jobs</a>}
          <RefreshButton reload={reload} />
        </>
      }
    >
      <Answer loaded={loaded} reload={reload}>
        {({ workspace: { bulkActions } }) =>
          bulkActions.edges.length === 0 ? (
            <Empty title="No bulk actions">
              <p>On the list of jobs choose some, or all that match a filter, to cancel, retry or delete them.</p>
              <a href={href(['jobs'])}>Go to the jobs</a>
            </Empty>
          ) : (
            <>
              <Table caption="Bulk actions" columns={columns} rows={actions} keyOf={({ id }) => id} />
              <Pager page={bulkActions.pageInfo} />
            </>
          )
        }
      </Answer>
    </ScreenFrame>
  );
}

function What({ kind, filter, reason }: { kind: string; filter: string; reason: string | null }) {
  return (
    <span class="bulk-what">
      <b>{kind}</b> {filter}
      {reason !== null && <span class="cell-note">{reason}</span>}
    </span>
  );
}

function Progress({ action }: { action: ListedBulkActionFragment }) {
  return (
    <span class="bulk-progress">
      {action.status === 'RUNNING' && <Bar percentage={percentageOf(action)} label={seenText(action)} />}
      {seenText(action)}
    </span>
  );
}

function Outcome({ action }: { action: ListedBulkActionFragment }) {
  const { refusals, error } = action;
  return (
    <span class="bulk-what">
      {doneText(action)}
      {refusals.map(({ code, count }) => (
        <span key={code} class="cell-note">
          {count.toLocaleString('en')} {code}
        </span>
      ))}
      {error !== null && <span class="cell-note">{error.message}</span>}
    </span>
  );
}
