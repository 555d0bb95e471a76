import type { ComponentChildren } from 'preact';
import { counted } from '../app/counted.ts';
import { href } from '../app/router.ts';
import { Duration, durationText, useNow } from '../app/time.tsx';
import type { OverviewNowQuery } from '../generated/overview.ts';
import { type Column, Table } from '../ui/table.tsx';

/** What is the case now. */
export function Figures({ now: { workspace } }: { now: OverviewNowQuery }) {
  const { jobCounts: counts, workers, concurrencyLimit: limit } = workspace;
  const held = workers.edges.reduce((sum, { node }) => sum + node.running, 0);
  return (
    <ul class="tiles">
      <Tile name="Pending" to={href(['jobs'], { status: 'PENDING' })} count={counts.pending}>
        {counts.scheduled > 0 && `${counts.scheduled.toLocaleString('en')} for later`}
      </Tile>
      <Tile name="Longest wait" to={href(['jobs'], { status: 'PENDING' })} text={counts.oldestDueAt === null ? 'None' : <Since at={counts.oldestDueAt} />}>
        of due jobs
      </Tile>
      <Tile name="Running" to={href(['jobs'], { status: 'RUNNING' })} count={counts.running}>
        {limit !== null && `at most ${limit.toLocaleString('en')} at once`}
      </Tile>
      <Tile name="Workers alive" to={href(['workers'])} text={`${workers.edges.length}${workers.pageInfo.hasNextPage ? '+' : ''}`}>
        {`hold ${counted(held, 'job')}`}
      </Tile>
      <Tile name="Completed" to={href(['jobs'], { status: 'COMPLETED' })} count={counts.completed}>
        in all
      </Tile>
      <Tile name="Failed" to={href(['jobs'], { status: 'FAILED' })} count={counts.failed}>
        in all
      </Tile>
      <Tile name="Cancelled" to={href(['jobs'], { status: 'CANCELLED' })} count={counts.cancelled}>
        in all
      </Tile>
      <Tile name="Credits" to={href(['credits'])} count={workspace.credits}>
        left
      </Tile>
    </ul>
  );
}

function Tile({ name, to, count, text, children }: { name: string; to: string; count?: number; text?: ComponentChildren; children: ComponentChildren }) {
  return (
    <li class="card tile">
      <a href={to}>
        <span class="tile-name">{name}</span>
        <strong>{text ?? count?.toLocaleString('en')}</strong>
        <span class="tile-note">{children}</span>
      </a>
    </li>
  );
}

/** How long ago, in whole minutes from ten on: seconds would only flicker. */
function Since({ at }: { at: string }) {
  const ms = Math.max(0, useNow() - Date.parse(at));
  const grain = ms < 600_000 ? 1_000 : 60_000;
  return <>{ms < 1_000 ? '0 s' : durationText(Math.floor(ms / grain) * grain).replace('.0 s', ' s')}</>;
}

type OpenType = OverviewNowQuery['workspace']['jobCounts']['byType'][number];

const columns: readonly Column<OpenType>[] = [
  { name: 'Type', cell: ({ type }) => <a class="cell-text" title={type} href={href(['jobs'], { type })}>{type}</a> },
  { name: 'Pending', kind: 'number', cell: ({ pending }) => pending.toLocaleString('en') },
  { name: 'Running', kind: 'number', cell: ({ running }) => running.toLocaleString('en') },
  { name: 'Longest wait', kind: 'number', cell: ({ oldestDueAt }) => <Duration from={oldestDueAt} to={null} /> },
];

/** The types that have jobs waiting or running. */
export function OpenTypes({ now: { workspace } }: { now: OverviewNowQuery }) {
  const rows = workspace.jobCounts.byType.filter(({ pending, running }) => pending + running > 0);
  return (
    <section class="part">
      <h2>Open jobs by type</h2>
      {rows.length === 0 ? <p class="soft">No job waits or runs.</p> : <Table caption="Open jobs by type" columns={columns} rows={rows} keyOf={({ type }) => type} />}
    </section>
  );
}
