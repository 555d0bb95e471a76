import { useSignal } from '@preact/signals';
import { counted } from '../app/counted.ts';
import { useQuery } from '../app/use-query.ts';
import { useRefresh } from '../app/use-refresh.ts';
import { href, route, setParams } from '../app/router.ts';
import { Time } from '../app/time.tsx';
import { type ListedWorkerFragment, ListWorkersDocument } from '../generated/workers.ts';
import { Answer } from '../ui/answer.tsx';
import { Badge } from '../ui/badge.tsx';
import { Button } from '../ui/button.tsx';
import { Empty } from '../ui/empty.tsx';
import { ScreenFrame } from '../ui/screen-frame.tsx';
import { firstPage, pageOf, Pager } from '../ui/pager.tsx';
import { RefreshButton } from '../ui/refresh-button.tsx';
import { type Column, Table } from '../ui/table.tsx';
import { LeasesDialog } from './leases-dialog.tsx';

/** Who claims jobs of this workspace. */
export function Screen() {
  const { params } = route.value;
  const all = params.get('show') === 'all';
  const { loaded, reload } = useQuery(ListWorkersDocument, { ...(all ? {} : { alive: true }), ...pageOf(params, 50) });
  const shown = useSignal<string | null>(null);
  // A worker's sign of life is no change of a job, so no subscription tells of it. The server itself hears one within ten seconds.
  useRefresh(reload, 10);
  const columns: readonly Column<ListedWorkerFragment>[] = [
    { name: 'Worker', cell: ({ name }) => <span class="cell-text" title={name}>{name}</span> },
    { name: 'State', cell: ({ alive }) => (alive ? <Badge tone="good">Alive</Badge> : <Badge>Gone</Badge>) },
    {
      name: 'Holds',
      kind: 'number',
      cell: ({ name, running }) =>
        running === 0 ? (
          <span class="soft">no job</span>
        ) : (
          <Button quiet label={`${counted(running, 'job')} of ${name}`} onClick={() => (shown.value = name)}>
            {counted(running, 'job')}
          </Button>
        ),
    },
    { name: 'Last heard', cell: ({ lastSeenAt }) => <Time at={lastSeenAt} relative /> },
    { name: 'Known since', cell: ({ firstSeenAt }) => <Time at={firstSeenAt} /> },
    { name: 'Types', cell: ({ types }) => <Types types={types} /> },
  ];
  return (
    <ScreenFrame
      title="Workers"
      actions={
        <>
          <select aria-label="Which workers" value={all ? 'all' : 'alive'} onChange={({ currentTarget }) => setParams({ show: currentTarget.value === 'all' ? 'all' : null, ...firstPage })}>
            <option value="alive">Alive</option>
            <option value="all">All of the last week</option>
          </select>
          <RefreshButton reload={reload} />
        </>
      }
    >
      <Answer loaded={loaded} reload={reload}>
        {({ workspace: { workers } }) =>
          workers.edges.length === 0 ? (
            <Empty title={all ? 'No worker has claimed a job in the last week' : 'No worker is alive'}>
              <p>
                A server that runs with ROLE=all or ROLE=worker takes the built-in types. For your own types make any program a worker with
                longhaul worker run, or start one with @longhaul/client/worker, the Python client, or over GraphQL with claimJobs; each takes a key
                with WORK.
              </p>
              {!all && <a href={href(['workers'], { show: 'all' })}>Show those that are gone</a>}
            </Empty>
          ) : (
            <>
              <Table caption="Workers" columns={columns} rows={workers.edges.map(({ node }) => node)} keyOf={({ id }) => id} />
              <Pager page={workers.pageInfo} />
            </>
          )
        }
      </Answer>
      {shown.value !== null && <LeasesDialog worker={shown.value} onClose={() => (shown.value = null)} />}
    </ScreenFrame>
  );
}

function Types({ types }: { types: readonly string[] }) {
  if (types.length === 0) return <span class="soft">Only jobs that it named</span>;
  return <span class="cell-text" title={types.join(', ')}>{types.join(', ')}</span>;
}
