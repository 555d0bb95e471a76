import { styleText } from 'node:util';
import { isFinal } from '../jobs/job-statuses.ts';
import { widthOf } from '../output/display-width.ts';
import { columnsOn } from '../output/terminal.ts';
import { barOf, barWidth, besideBar, colourOf } from './bar-line.ts';
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
    const ended = all.filter(({ job }) => isFinal(job.status)).length;
    const shown = [...running, ...others].slice(0, room - 1).map((one) => this.#line(one));
    return [...shown, `and ${all.length - shown.length} more: ${running.length} of ${all.length} run, ${ended} have ended`];
  }

  #line({ job, pace }: { job: ShownJob; pace: Pace }): string {
    // Of many jobs of a type, the end of the id tells them apart.
    const label = this.#jobs.size === 1 ? job.type : `${job.type} …${job.uuid.slice(-6)}`;
    const bar = barOf(job.status === 'COMPLETED' ? 100 : (job.progress?.percentage ?? null));
    const room = columnsOn(this.#stream) - widthOf(label) - barWidth - 2;
    return `${label} ${styleText(colourOf(job.status), bar, { stream: this.#stream })} ${besideBar(job, pace.left, room)}`;
  }
}
