import './audit.css';
import { chosenWorkspace } from '../app/chosen-workspace.ts';
import { useQuery } from '../app/use-query.ts';
import { useRefresh } from '../app/use-refresh.ts';
import { href, route, setParams } from '../app/router.ts';
import { Time } from '../app/time.tsx';
import { ListAuditDocument, type ListedEntryFragment } from '../generated/audit.ts';
import { Answer } from '../ui/answer.tsx';
import { Badge } from '../ui/badge.tsx';
import { Empty } from '../ui/empty.tsx';
import { ScreenFrame } from '../ui/screen-frame.tsx';
import { firstPage, pageOf, Pager } from '../ui/pager.tsx';
import { RefreshButton } from '../ui/refresh-button.tsx';
import { type Column, Table } from '../ui/table.tsx';
import { auditTopics } from './audit-topics.ts';

const columns: readonly Column<ListedEntryFragment>[] = [
  { name: 'When', cell: ({ at }) => <Time at={at} /> },
  { name: 'Action', cell: ({ action }) => <code>{action}</code> },
  { name: 'Outcome', cell: ({ outcome }) => (outcome === 'ok' ? <Badge tone="good">ok</Badge> : <Badge tone="bad">{outcome}</Badge>) },
  { name: 'Who', cell: ({ actor }) => (actor === null ? <span class="soft">the server</span> : <span class="cell-text" title={actor}>{actor}</span>) },
  { name: 'From', cell: ({ ipAddress }) => ipAddress ?? <span class="soft">–</span> },
  { name: 'To what', cell: ({ target }) => (target === null ? <span class="soft">–</span> : <code class="cell-text audit-target" title={target}>{target}</code>) },
  { name: 'Details', cell: ({ details }) => <Details details={details} /> },
];

/** What was done with keys, or refused. */
export function Screen() {
  const { params } = route.value;
  const topic = auditTopics.find(({ name }) => name === params.get('about'));
  const { loaded, reload } = useQuery(ListAuditDocument, { workspaceId: chosenWorkspace(), ...(topic === undefined ? {} : { actions: [...topic.actions] }), ...pageOf(params, 50) });
  // No subscription tells of it, and what is read here is past.
  useRefresh(reload, 30);
  const found = loaded.data?.node;
  const workspace = found?.kind === 'Workspace' ? found : null;
  return (
    <ScreenFrame
      title={workspace === null ? 'Audit' : `Audit of ${workspace.name}`}
      actions={
        <>
          <select aria-label="What it is about" value={topic?.name ?? ''} onChange={({ currentTarget }) => setParams({ about: currentTarget.value, ...firstPage })}>
            <option value="">Everything</option>
            {auditTopics.map(({ name }) => (
              <option key={name} value={name}>
                {name}
              </option>
            ))}
          </select>
          <a class="button" href={href(['workspaces'])}>
            Other workspaces
          </a>
          <RefreshButton reload={reload} />
        </>
      }
    >
      <Answer loaded={loaded} reload={reload}>
        {() =>
          workspace === null ? (
            <Empty title="There is no such workspace" />
          ) : workspace.auditEntries.edges.length === 0 ? (
            <Empty title="Nothing yet" />
          ) : (
            <>
              <Table caption="Audit" columns={columns} rows={workspace.auditEntries.edges.map(({ node }) => node)} keyOf={({ id }) => id} />
              <Pager page={workspace.auditEntries.pageInfo} />
            </>
          )
        }
      </Answer>
    </ScreenFrame>
  );
}

function Details({ details }: { details: Record<string, unknown> }) {
  const parts = Object.entries(details).flatMap(([name, value]) => (value === null ? [] : [`${name}: ${valueText(value)}`]));
  return parts.length === 0 ? null : <span class="audit-details">{parts.join('; ')}</span>;
}

function valueText(value: unknown): string {
  if (typeof value === 'string') return value;
  return Array.isArray(value) ? value.map(valueText).join(', ') : JSON.stringify(value);
}
