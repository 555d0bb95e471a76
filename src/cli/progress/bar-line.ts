import { shownPeriod } from '../output/amounts.ts';
import { fit, widthOf } from '../output/display-width.ts';
import type { Colour } from '../output/terminal.ts';
import { percentOf, stateOf, stepOf } from './change-lines.ts';
import type { ShownJob } from './display.ts';

/** As wide as a bar is, and as it is where a terminal is narrow: what stands beside it tells more. */
const barWidths = { usual: 24, narrow: 10 };

/** Of a terminal with fewer columns. */
const narrowBelow = 60;

/** How wide a bar is on a terminal of so many columns. */
export function barWidthOn(columns: number): number {
  return columns < narrowBelow ? barWidths.narrow : barWidths.usual;
}

/** Whether the terminal writes more than ASCII. */
const isUnicode = /utf-?8/i.test(process.env['LC_ALL'] || process.env['LC_CTYPE'] || process.env['LANG'] || '');
const [full, empty] = isUnicode ? ['█', '░'] : ['#', '-'];

/** Stands where a text was cut. */
const mark = isUnicode ? '…' : '~';

/** Between the parts of a line. */
const gap = '  ';

/** A bar of a percentage; one that cannot be told is empty. */
export function barOf(percentage: number | null, width: number): string {
  const done = Math.round((Math.min(100, Math.max(0, percentage ?? 0)) / 100) * width);
  return `${full.repeat(done)}${empty.repeat(width - done)}`;
}

/** How a status is coloured. */
export function colourOf(status: ShownJob['status']): Colour {
  switch (status) {
    case 'PENDING':
      return 'dim';
    case 'RUNNING':
      return 'cyan';
    case 'COMPLETED':
      return 'green';
    case 'FAILED':
      return 'red';
    case 'CANCELLED':
      return 'yellow';
  }
}

/** A text of such a line, cut where there is no room for all of it. */
export function shortened(text: string, room: number): string {
  return fit(text, Math.max(0, room), mark);
}

/** What stands beside a job's bar: of a long message as much as leaves room for the rest. @param left milliseconds to its end; null where it cannot be told */
export function besideBar(job: ShownJob, left: number | null, room: number): string {
  if (job.status !== 'RUNNING') return shortened(stateOf(job), room);
  const percentage = (percentOf(job.progress) || '?%').padStart(4);
  const end = left === null ? '' : `${gap}${shownPeriod(left)} left`;
  const step = shortened(stepOf(job.progress), room - widthOf(percentage + gap + end));
  return shortened(`${percentage}${step === '' ? '' : gap}${step}${end}`, room);
}
