import { setTimeout as delay } from 'node:timers/promises';
import type { GraphQLError } from 'graphql';
import type { Jobs } from '../../jobs/jobs.ts';
import type { Operation } from '../operation.ts';
import { isUnavailable } from '../public-error.ts';
import type { LiveExecution } from './broadcast.ts';
import type { Frame } from './frame.ts';
import type { LivePlan } from './plan.ts';

/** How long an event waits that could not be rendered because a server behind was away. Milliseconds. */
const retryMilliseconds = 1_000;

/** A subscription to be carried out, for one watcher or for many. */
export interface LiveOperation {
  operation: Operation;
  plan: LivePlan;
  /** For one watcher from a place of its own. */
  alone: boolean;
  /** Takes the place of the resume argument. */
  resumeAfter: string | null;
  /** Called when there is nothing left that only this watcher has to make up for. */
  onLive?: () => void;
}

/** Opens a subscription's source and renders its events. */
export class GraphQLExecution implements LiveExecution {
  readonly #jobs: Jobs;
  readonly #live: LiveOperation;
  #over = false;

  constructor(jobs: Jobs, live: LiveOperation) {
    this.#jobs = jobs;
    this.#live = live;
  }

  get replays(): boolean {
    return this.#live.plan.field.replays;
  }

  get paced(): boolean {
    return this.#live.alone;
  }

  open(): Promise<AsyncIterable<unknown> | readonly GraphQLError[]> {
    const { operation, resumeAfter, onLive } = this.#live;
    return operation.subscribe({ signal: null, resumeAfter, ...(onLive && { onLive }) });
  }

  close(): void {
    this.#over = true;
  }

  async render(event: unknown): Promise<Frame | null> {
    const { operation, plan } = this.#live;
    const heading = plan.field.headingOf(event);
    if (heading === null) return null;
    for (;;) {
      const result = await operation.execute({ signal: null }, event);
      // The database went away between the read of the job and that of what hangs on it: a watcher that got the final
      // version as an error would never learn how its job ended.
      if (!this.#over && result.errors?.some(isUnavailable) === true) await delay(retryMilliseconds);
      else return { ...heading, payload: JSON.stringify(result) };
    }
  }

  refresh({ jobId }: Frame): void {
    this.#jobs.look(jobId);
  }
}
