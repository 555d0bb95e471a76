import { useMemo } from 'preact/hooks';
import { durationText, Time } from '../app/time.tsx';
import type { PointFragment } from '../generated/overview.ts';
import { Details } from '../ui/details.tsx';
import { type Column, Table } from '../ui/table.tsx';
import { Chart, type Series } from './chart.tsx';
import type { Range } from './ranges.ts';

/** What happened in the range: drawn, and as a table. */
export function Charts({ points, range }: { points: readonly PointFragment[]; range: Range }) {
  const at = useMemo(() => points.map((point) => Date.parse(point.at)), [points]);
  const { ended, wait, run } = useMemo(() => seriesOf(points), [points]);
  const sums = sumsOf(points);
  const per = `per ${range.unit}`;
  return (
    <>
      <p>
        <strong>{number(sums.created)}</strong> created, <strong>{number(sums.completed)}</strong> completed and <strong>{number(sums.failed)}</strong> failed
        {sums.completed + sums.failed > 0 && ` (${percent(sums.failed, sums.completed + sums.failed)})`}, <strong>{number(sums.cancelled)}</strong> cancelled;{' '}
        <strong>{number(sums.failedAttempts)}</strong> failed attempts.
      </p>
      <div class="charts">
        <Chart title={`Jobs that ended, ${per}`} summary={`Jobs that ended, ${per}: ${number(sums.completed)} completed, ${number(sums.failed)} failed, ${number(sums.cancelled)} cancelled in all. The table has the figures.`} at={at} kind="bars" series={ended} text={number} whole />
        <Chart title={`Wait until a worker took a job, ${per}`} summary={`Wait ${per}, half and 95 percent of the attempts. The table has the figures.`} at={at} kind="lines" series={wait} text={seconds} />
        <Chart title={`Run time of an attempt, ${per}`} summary={`Run time ${per}, half and 95 percent of the attempts. The table has the figures.`} at={at} kind="lines" series={run} text={seconds} />
      </div>
      <Details summary="As a table">{() => <Figures points={points} range={range} />}</Details>
    </>
  );
}

function seriesOf(points: readonly PointFragment[]): Record<'ended' | 'wait' | 'run', Series[]> {
  const of = (name: 'completed' | 'failed' | 'cancelled' | 'waitP50' | 'waitP95' | 'runP50' | 'runP95') => points.map((point) => point[name]);
  return {
    ended: [
      { name: 'Completed', colour: '--completed', values: of('completed') },
      { name: 'Failed', colour: '--failed', values: of('failed') },
      { name: 'Cancelled', colour: '--cancelled', values: of('cancelled') },
    ],
    wait: [
      { name: 'Half waited no longer (p50)', colour: '--running', values: of('waitP50') },
      { name: '95 % (p95)', colour: '--cancelled', dashed: true, values: of('waitP95') },
    ],
    run: [
      { name: 'Half ran no longer (p50)', colour: '--running', values: of('runP50') },
      { name: '95 % (p95)', colour: '--cancelled', dashed: true, values: of('runP95') },
    ],
  };
}

const columns: readonly Column<PointFragment>[] = [
  { name: 'From', cell: ({ at }) => <Time at={at} /> },
  { name: 'Created', kind: 'number', cell: ({ created }) => number(created) },
  { name: 'Completed', kind: 'number', cell: ({ completed }) => number(completed) },
  { name: 'Failed', kind: 'number', cell: ({ failed }) => number(failed) },
  { name: 'Cancelled', kind: 'number', cell: ({ cancelled }) => number(cancelled) },
  { name: 'Failed attempts', kind: 'number', cell: ({ failedAttempts }) => number(failedAttempts) },
  { name: 'Wait p50', kind: 'number', cell: ({ waitP50 }) => orNone(waitP50) },
  { name: 'Wait p95', kind: 'number', cell: ({ waitP95 }) => orNone(waitP95) },
  { name: 'Run p50', kind: 'number', cell: ({ runP50 }) => orNone(runP50) },
  { name: 'Run p95', kind: 'number', cell: ({ runP95 }) => orNone(runP95) },
];

function Figures({ points, range }: { points: readonly PointFragment[]; range: Range }) {
  const busy = points.filter(({ created, completed, failed, cancelled, failedAttempts, waitP50, runP50 }) => created + completed + failed + cancelled + failedAttempts > 0 || waitP50 !== null || runP50 !== null);
  return (
    <>
      <p class="soft">The newest first, without each {range.unit} in which nothing happened.</p>
      <Table caption={`Statistics of each ${range.unit}`} columns={columns} rows={busy.toReversed()} keyOf={({ at }) => at} />
    </>
  );
}

function sumsOf(points: readonly PointFragment[]): Record<'created' | 'completed' | 'failed' | 'cancelled' | 'failedAttempts', number> {
  const sum = (of: (point: PointFragment) => number) => points.reduce((total, point) => total + of(point), 0);
  return {
    created: sum(({ created }) => created),
    completed: sum(({ completed }) => completed),
    failed: sum(({ failed }) => failed),
    cancelled: sum(({ cancelled }) => cancelled),
    failedAttempts: sum(({ failedAttempts }) => failedAttempts),
  };
}

function number(count: number): string {
  return count.toLocaleString('en');
}

function seconds(value: number): string {
  return durationText(value * 1_000);
}

function orNone(value: number | null) {
  return value === null ? <span class="soft">–</span> : seconds(value);
}

function percent(part: number, all: number): string {
  return `${((part / all) * 100).toFixed(part > 0 && part < all / 100 ? 1 : 0)} %`;
}
