import './overview.css';
import { useSignal } from '@preact/signals';
import { lazyPart } from '../app/lazy-part.tsx';
import { useQuery } from '../app/use-query.ts';
import { useRefresh } from '../app/use-refresh.ts';
import { route, setParams } from '../app/router.ts';
import { OverviewNowDocument, OverviewStatisticsDocument } from '../generated/overview.ts';
import { Answer } from '../ui/answer.tsx';
import { Empty } from '../ui/empty.tsx';
import { ScreenFrame } from '../ui/screen-frame.tsx';
import { RefreshButton } from '../ui/refresh-button.tsx';
import { Attention } from './attention.tsx';
import { Figures, OpenTypes } from './overview-figures.tsx';
import { rangeOf, ranges } from './ranges.ts';

/** The library of charts is the page's biggest: the figures do not wait for it. */
const Charts = lazyPart(async () => (await import('./charts.tsx')).Charts);

/** How the workspace does: now, and over a range. */
export function Screen() {
  const now = useQuery(OverviewNowDocument, {});
  const range = rangeOf(route.value.params.get('range'));
  const until = useSignal(Date.now());
  const statistics = useQuery(OverviewStatisticsDocument, { from: new Date(until.value - range.length).toISOString(), step: range.step });
  const reload = async () => {
    // The range ends now; as it moves, its points are read again.
    until.value = Date.now();
    await now.reload();
  };
  // No subscription tells counts, and one of every change of every job would send thousands of events for a handful of numbers.
  useRefresh(reload, 10);
  return (
    <ScreenFrame title="Overview" actions={<RefreshButton reload={reload} />}>
      <Answer {...now} rows={6}>
        {(data) => (
          <>
            <Figures now={data} />
            <div class="overview-halves">
              <Attention now={data} />
              <OpenTypes now={data} />
            </div>
          </>
        )}
      </Answer>
      <section class="part">
        <div class="row">
          <h2 class="grow">
            Throughput and times
          </h2>
          <select class="range" aria-label="Range" value={range.name} onChange={({ currentTarget }) => setParams({ range: currentTarget.value })}>
            {ranges.map(({ name, label }) => (
              <option key={name} value={name}>
                {label}
              </option>
            ))}
          </select>
        </div>
        <Answer {...statistics} rows={6}>
          {({ workspace: { statistics: points } }) =>
            points.length === 0 ? (
              <Empty title="No statistics yet">
                <p>They begin with the first job.</p>
              </Empty>
            ) : (
              <Charts points={points} range={range} />
            )
          }
        </Answer>
      </section>
    </ScreenFrame>
  );
}
