import { useQuery } from '../app/use-query.ts';
import { useRefresh } from '../app/use-refresh.ts';
import { href } from '../app/router.ts';
import { Duration } from '../app/time.tsx';
import { WorkersLeasesDocument, type WorkersLeasesQuery } from '../generated/workers.ts';
import { Answer } from '../ui/answer.tsx';
import { percentText } from '../ui/bar.tsx';
import { Dialog } from '../ui/dialog.tsx';
import { type Column, Table } from '../ui/table.tsx';

type Held = WorkersLeasesQuery['jobs']['edges'][number]['node'];

const columns: readonly Column<Held>[] = [
  { name: 'Job', cell: ({ id }) => <a class="mono" href={href(['jobs', id])}>{id}</a> },
  { name: 'Type', cell: ({ type }) => <span class="cell-text" title={type}>{type}</span> },
  { name: 'Progress', kind: 'number', cell: ({ progress }) => (progress?.percentage == null ? <span class="soft">–</span> : percentText(progress.percentage)) },
  { name: 'Held for', kind: 'number', cell: ({ attempts }) => <Duration from={attempts.at(-1)?.startedAt ?? null} to={null} /> },
];

/** The jobs that a worker holds now. */
export function LeasesDialog({ worker, onClose }: { worker: string; onClose: () => void }) {
  const { loaded, reload } = useQuery(WorkersLeasesDocument, { workerIds: [worker] });
  // As on the list behind it.
  useRefresh(reload, 10);
  return (
    <Dialog title={`Jobs of ${worker}`} large onClose={onClose}>
      <Answer loaded={loaded} reload={reload} rows={3}>
        {({ jobs }) => {
          // A job that it had and lost is on the list, too, while another worker holds it.
          const held = jobs.edges.map(({ node }) => node).filter(({ attempts }) => attempts.at(-1)?.workerId === worker);
          if (held.length === 0) return <p class="soft">It holds no job at this moment.</p>;
          return (
            <>
              <Table caption={`Jobs of ${worker}`} columns={columns} rows={held} keyOf={({ id }) => id} />
              {jobs.pageInfo.hasNextPage && <p class="soft">The newest 100 of them.</p>}
            </>
          );
        }}
      </Answer>
    </Dialog>
  );
}
