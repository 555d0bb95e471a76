import { colour } from '../output/style.ts';
import { barOf, besideBar, colourOf } from './bar-line.ts';
import type { Display, ShownJob } from './display.ts';
import { Drawing } from './drawing.ts';
import { Pace } from './pace.ts';

/** A bar for each job, on a terminal: as many as it has lines for, what runs first. */
export class Bars implements Display {
  readonly #stream: NodeJS.WriteStream;
  readonly #jobs = new Map<string, { job: ShownJob; pace: Pace }>();
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
    if (all.length <= room) return all.map((one) => this.#line(one));
    const running = all.filter(({ job }) => job.status === 'RUNNING');
    const others = all.filter(({ job }) => job.status !== 'RUNNING');
    const ended = all.filter(({ job }) => job.status !== 'RUNNING' && job.status !== 'PENDING').length;
    const shown = [...running, ...others].slice(0, room - 1).map((one) => this.#line(one));
    return [...shown, `and ${all.length - shown.length} more: ${running.length} of ${all.length} run, ${ended} have ended`.slice(0, this.#width)];
  }

  get #width(): number {
    return (this.#stream.columns || 80) - 1;
  }

  #line({ job, pace }: { job: ShownJob; pace: Pace }): string {
    // Of many jobs of a type, the end of the id tells them apart.
    const label = this.#jobs.size === 1 ? job.type : `${job.type} …${job.uuid.slice(-6)}`;
    const bar = barOf(job.status === 'COMPLETED' ? 100 : (job.progress?.percentage ?? null));
    const rest = besideBar(job, pace.left).slice(0, Math.max(0, this.#width - label.length - bar.length - 2));
    return `${label} ${colour(this.#stream, colourOf(job.status), bar)} ${rest}`;
  }
}
