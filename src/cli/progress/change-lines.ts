import { oneLine } from '../output/plain-text.ts';
import type { Display, ShownJob } from './display.ts';

/** By so many points a percentage has to grow for a line of its own. */
const points = 5;

/** A line for each change that is worth one. */
export class ChangeLines implements Display {
  readonly #stream: NodeJS.WriteStream;
  /** What was last told of each job. */
  readonly #last = new Map<string, string>();

  constructor(stream: NodeJS.WriteStream) {
    this.#stream = stream;
  }

  show(job: ShownJob): void {
    const { progress } = job;
    const percentage = progress?.percentage ?? null;
    const coarse = progress === null || percentage === null ? progress : { ...progress, percentage: percentage - (percentage % points) };
    const told = stateOf({ ...job, progress: coarse });
    if (this.#last.get(job.id) === told) return;
    this.#last.set(job.id, told);
    this.#stream.write(`${job.id} ${job.type} ${stateOf(job)}\n`);
  }

  [Symbol.dispose](): void {}
}

/** Status, percentage and what it is about. */
export function stateOf({ status, progress, error, cancelReason, runAt, nextAttemptAt }: ShownJob): string {
  switch (status) {
    case 'PENDING': {
      const due = nextAttemptAt ?? runAt;
      return nextAttemptAt !== null ? `${status} next attempt at ${due}` : due === null ? status : `${status} due at ${due}`;
    }
    case 'RUNNING':
      return [status, progressText(progress)].filter((part) => part !== '').join(' ');
    case 'FAILED':
      return `${status} ${error?.code ?? ''}: ${oneLine(error?.message ?? '')}`;
    case 'CANCELLED':
      return cancelReason === null ? status : `${status} ${oneLine(cancelReason)}`;
    case 'COMPLETED':
      return status;
  }
}

/** Percentage, step and message of a progress; empty where there is none. */
export function progressText(progress: ShownJob['progress']): string {
  return [percentOf(progress), stepOf(progress)].filter((part) => part !== '').join(' ');
}

/** Its percentage; empty where it cannot be told. */
export function percentOf(progress: ShownJob['progress']): string {
  return progress?.percentage == null ? '' : `${Math.floor(progress.percentage)}%`;
}

/** Its step and message. */
export function stepOf(progress: ShownJob['progress']): string {
  return oneLine([progress?.step, progress?.message].filter((part) => part != null && part !== '').join(': '));
}
