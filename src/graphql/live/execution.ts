import { setTimeout as delay } from 'node:timers/promises';
import type { GraphQLError } from 'graphql';
import type { Turns } from '../../concurrency/turns.ts';
import type { Jobs } from '../../jobs/jobs.ts';
import type { Operation } from '../operation.ts';
import { isUnavailable } from '../public-error.ts';
import type { LiveExecution } from './broadcast.ts';
import type { Frame, Joining } from './frame.ts';
import type { LivePlan } from './plan.ts';

/** How long to wait before rendering an event again after the database was unavailable. */
const retryMilliseconds = 1_000;

/** A subscription to run, for one watcher or for many. */
export interface LiveOperation {
  operation: Operation;
  plan: LivePlan;
  /** Whether it serves a single watcher, from that watcher's position. */
  alone: boolean;
  /** Overrides the resume argument. */
  resumeAfter: string | null;
  /** Called when the watcher has caught up. */
  onLive?: () => void;
}

/** Opens a subscription's source and renders its events. */
export class GraphQLExecution implements LiveExecution {
  readonly #jobs: Jobs;
  readonly #live: LiveOperation;
  readonly #turns: Turns<string>;
  #over = false;

  /** @param turns one rendering per turn: a change that a thousand of them show must not hold up requests */
  constructor(jobs: Jobs, live: LiveOperation, turns: Turns<string>) {
    this.#jobs = jobs;
    this.#live = live;
    this.#turns = turns;
  }

  get joining(): Joining {
    return this.#live.plan.field.joining;
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
      await this.#turns.next(operation.viewer?.workspaceId ?? '');
      if (this.#over) return null;
      const result = await operation.execute({ signal: null }, event);
      // The database failed after the job was read, before its related rows were. Retry: a watcher that got an error for the
      // final version would never learn how its job ended.
      if (result.errors?.some(isUnavailable) === true) await delay(retryMilliseconds);
      else return { ...heading, payload: JSON.stringify(result) };
    }
  }

  farewell(error: unknown): Frame | null {
    const result = this.#live.operation.farewell(error);
    if (result === null) return null;
    // As if it came after every version, so that no watcher has seen it.
    return { jobId: '', version: Infinity, payload: JSON.stringify(result), resumeId: null, replaceable: false, last: true };
  }

  refresh({ jobId }: Frame): void {
    this.#jobs.look(jobId);
  }
}
