import { shownPeriod } from '../output/amounts.ts';
import type { Colour } from '../output/terminal.ts';
import { percentOf, stateOf, stepOf } from './change-lines.ts';
import type { ShownJob } from './display.ts';

const barWidth = 24;

/** Whether the terminal writes more than ASCII. */
const isUnicode = /utf-?8/i.test(process.env['LC_ALL'] || process.env['LC_CTYPE'] || process.env['LANG'] || '');
const [full, empty] = isUnicode ? ['█', '░'] : ['#', '-'];

/** A bar of a percentage; one that cannot be told is empty. */
export function barOf(percentage: number | null): string {
  const done = Math.round((Math.min(100, Math.max(0, percentage ?? 0)) / 100) * barWidth);
  return `${full.repeat(done)}${empty.repeat(barWidth - done)}`;
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

/** What stands beside a job's bar. @param left milliseconds to its end; null where it cannot be told */
export function besideBar(job: ShownJob, left: number | null): string {
  if (job.status !== 'RUNNING') return stateOf(job);
  const parts = [(percentOf(job.progress) || '?%').padStart(4), stepOf(job.progress), left === null ? '' : `${shownPeriod(left)} left`];
  return parts.filter((part) => part !== '').join('  ');
}
