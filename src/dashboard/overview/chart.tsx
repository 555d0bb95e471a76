import 'uplot/dist/uPlot.min.css';
import { signal, useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import uPlot from 'uplot';
import { theme } from '../app/theme.ts';
import { axisText, instantText, zone } from '../app/time.tsx';

/** One line or bar of a chart. */
export interface Series {
  name: string;
  /** Of styles/tokens.css: `--completed`. */
  colour: string;
  values: readonly (number | null)[];
  /** Dashed, so that two lines differ by more than their colour. */
  dashed?: boolean;
}

interface ChartProps {
  title: string;
  /** What the chart shows, in a sentence. */
  summary: string;
  /** Where each point begins, milliseconds. */
  at: readonly number[];
  /** One after each other from the bottom, each bar upon the last one; or lines. */
  kind: 'bars' | 'lines';
  series: readonly Series[];
  /** A value in words, on the axis and in the legend. */
  text: (value: number) => string;
  /** Counts, which have no ticks between whole numbers; else seconds. */
  whole?: boolean;
}

const systemTheme = matchMedia('(prefers-color-scheme: dark)');
/** Grows when the system goes dark or light: a canvas does not follow by itself. */
const systemThemes = signal(0);
systemTheme.addEventListener('change', () => (systemThemes.value += 1));

const height = 200;

/** A chart over time, with what it shows under the pointer in its legend. The figures are in a table elsewhere. */
export function Chart({ title, summary, at, kind, series, text, whole = false }: ChartProps) {
  const place = useRef<HTMLDivElement>(null);
  const pointed = useSignal<number | null>(null);
  const look = `${theme.value} ${zone.value} ${systemThemes.value} ${kind} ${series.map(({ name }) => name).join()}`;
  const plot = useRef<uPlot | null>(null);
  const data = dataOf(at, kind, series);
  useEffect(() => {
    const { current: element } = place;
    if (element === null) return undefined;
    const drawn = new uPlot(options({ element, kind, series, text, whole, point: (index) => (pointed.value = index) }), data, element);
    plot.current = drawn;
    const observer = new ResizeObserver(() => drawn.setSize({ width: element.clientWidth, height }));
    observer.observe(element);
    return () => {
      observer.disconnect();
      drawn.destroy();
    };
  }, [look]);
  useEffect(() => {
    plot.current?.setData(data);
  }, [at, series]);
  const index = pointed.value;
  const when = index === null ? undefined : at[index];
  return (
    <figure class="card chart">
      <figcaption>
        <h3>{title}</h3>
        <span class="soft">{when === undefined ? '' : instantText(when)}</span>
      </figcaption>
      <div ref={place} role="img" aria-label={summary} class="chart-place" />
      <ul class="legend">
        {series.map(({ name, colour, dashed = false, values }) => (
          <li key={name}>
            <Swatch colour={colour} dashed={dashed} />
            {name} {index !== null && <b>{shownValue(values[index], text)}</b>}
          </li>
        ))}
      </ul>
    </figure>
  );
}

function Swatch({ colour, dashed }: { colour: string; dashed: boolean }) {
  return (
    <svg width="14" height="8" aria-hidden="true" class={`swatch ${colour.slice(2)}`}>
      <line x1="0" y1="4" x2="14" y2="4" stroke-width="3" stroke-dasharray={dashed ? '4 2' : undefined} />
    </svg>
  );
}

function shownValue(value: number | null | undefined, text: (value: number) => string): string {
  return value == null ? 'none' : text(value);
}

/** Bars stand upon each other: the highest is drawn first, and the others over it. */
function dataOf(at: readonly number[], kind: ChartProps['kind'], series: readonly Series[]): uPlot.AlignedData {
  const seconds = at.map((ms) => ms / 1_000);
  if (kind === 'lines') return [seconds, ...series.map(({ values }) => [...values])];
  const sums = series.map((_one, index) => at.map((_ms, point) => series.slice(0, index + 1).reduce((sum, { values }) => sum + (values[point] ?? 0), 0)));
  return [seconds, ...sums.toReversed()];
}

function options({ element, kind, series, text, whole, point }: Pick<ChartProps, 'kind' | 'series' | 'text'> & { element: HTMLElement; whole: boolean; point: (index: number | null) => void }): uPlot.Options {
  const colour = (name: string) => resolved(element, name);
  const [soft, line] = [colour('--text-soft'), colour('--line')];
  const axis = { stroke: soft, grid: { stroke: line, width: 1 }, ticks: { show: false }, font: '12px system-ui, sans-serif' };
  const drawn = kind === 'bars' ? series.toReversed() : series;
  return {
    width: element.clientWidth,
    height,
    tzDate: (seconds) => (zone.value === 'UTC' ? uPlot.tzDate(new Date(seconds * 1_000), 'Etc/UTC') : new Date(seconds * 1_000)),
    legend: { show: false },
    cursor: { y: false, drag: { x: false, y: false }, points: { show: kind === 'lines' } },
    hooks: { setCursor: [({ cursor: { idx } }) => point(idx ?? null)] },
    // A point stands for the time from it on, the last one also: its bar has room to its right.
    scales: { x: { range: ({ data: [times] }, first, last) => [first, last + stepOf(times)] }, y: { range: (_plot, _least, most) => [0, most > 0 ? most * 1.08 : 1] } },
    axes: [
      { ...axis, size: 28, space: 64, values: (_plot, ticks, _axis, _space, increment) => ticks.map((tick) => axisText(tick * 1_000, increment * 1_000)) },
      { ...axis, size: whole ? 48 : 76, values: (_plot, ticks) => ticks.map((tick) => (tick === 0 ? '0' : text(tick))), incrs: whole ? wholeSteps : timeSteps },
    ],
    series: [
      {},
      ...drawn.map(({ name, colour: token, dashed = false }): uPlot.Series => {
        const stroke = colour(token);
        if (kind === 'bars') return { label: name, stroke, fill: stroke, width: 0, points: { show: false }, ...(bars === undefined ? {} : { paths: bars }) };
        return { label: name, stroke, width: 2, points: { show: true, size: 4, fill: stroke }, ...(dashed ? { dash: [6, 4] } : {}) };
      }),
    ],
  };
}

/** Seconds between points. */
function stepOf(times: ArrayLike<number>): number {
  return times.length < 2 ? 60 : (times[1] ?? 0) - (times[0] ?? 0);
}

const bars = uPlot.paths.bars?.({ size: [0.8, 24], align: 1 });

const wholeSteps = Array.from({ length: 12 }, (_none, power) => [1, 2, 5].map((step) => step * 10 ** power)).flat();

/** Seconds between ticks of times, so that a tick is a round time. */
const timeSteps = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 14_400, 28_800, ...[1, 2, 5, 10, 20, 50, 100, 200].map((days) => days * 86_400)];

/** What a colour of the tokens is at this moment: a canvas knows neither variables nor light-dark(). */
function resolved(element: HTMLElement, name: string): string {
  // An element of its own: the colour of one that is there already may be on its way from the last one.
  const probe = document.createElement('i');
  probe.style.color = `var(${name})`;
  element.append(probe);
  const { color } = getComputedStyle(probe);
  probe.remove();
  return color;
}
