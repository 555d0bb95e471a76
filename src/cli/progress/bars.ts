import { styleText } from 'node:util';
import { isFinal } from '../jobs/job-statuses.ts';
import { padTo, widthOf } from '../output/display-width.ts';
import { columnsOn } from '../output/terminal.ts';
import { barOf, barWidthOn, besideBar, colourOf, shortened } from './bar-line.ts';
import type { Display, ShownJob } from './display.ts';
import { Drawing } from './drawing.ts';
import { Pace } from './pace.ts';

interface Shown {
  job: ShownJob;
  pace: Pace;
}

/** A bar for each job, on a terminal: as many as it has lines for, what runs first. */
export class Bars implements Display {
  readonly #stream: NodeJS.WriteStream;
  readonly #jobs = new Map<string, Shown>();
  readonly #drawing: Drawing;

  constructor(stream: NodeJS.WriteStream) {
    this.#stream = stream;
    this.#drawing = new Drawing(stream, () => this.#lines());
  }

  show(job: ShownJob): void {
    const { pace } = this.#jobs.get(job.id) ?? { pace: new Pace() };
    pace.tell(job);
    this.#jobs.set(job.id, { job, pace });
  }

  [Symbol.dispose](): void {
    this.#drawing[Symbol.dispose]();
  }

  #lines(): string[] {
    const all = [...this.#jobs.values()];
    const room = Math.max(1, (this.#stream.rows || 24) - 2);
    if (all.length <= room) return this.#drawn(all);
    const running = all.filter(({ job }) => job.status === 'RUNNING');
    const others = all.filter(({ job }) => job.status !== 'RUNNING');
    const ended = all.filter(({ job }) => isFinal(job.status)).length;
    const shown = this.#drawn([...running, ...others].slice(0, room - 1));
    return [...shown, `and ${all.length - shown.length} more: ${running.length} of ${all.length} run, ${ended} have ended`];
  }

  /** Below each other, with their bars in one column. */
  #drawn(shown: readonly Shown[]): string[] {
    const columns = columnsOn(this.#stream);
    const longest = columns === Infinity ? Infinity : Math.floor(columns / 3);
    const labels = shown.map(({ job }) => this.#label(job, longest));
    const width = Math.max(0, ...labels.map(widthOf));
    return shown.map((one, index) => this.#line(one, padTo(labels[index] ?? '', width), columns));
  }

  /** Of many jobs of a type, the end of the id tells them apart. Of a long type as much is shown as leaves room for the bar. */
  #label({ type, uuid }: ShownJob, longest: number): string {
    const end = this.#jobs.size === 1 ? '' : ` …${uuid.slice(-6)}`;
    return `${shortened(type, longest - widthOf(end))}${end}`;
  }

  #line({ job, pace }: Shown, label: string, columns: number): string {
    const width = barWidthOn(columns);
    const bar = barOf(job.status === 'COMPLETED' ? 100 : (job.progress?.percentage ?? null), width);
    return `${label} ${styleText(colourOf(job.status), bar, { stream: this.#stream })} ${besideBar(job, pace.left, columns - widthOf(label) - width - 2)}`;
  }
}
