import { randomUUID } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import type { StoredFile } from './files.ts';
import type { Purpose, Trouble } from './trouble.ts';

/** One call of the worker for an attempt. */
export interface Call {
  field: string;
  purpose: Purpose;
  token: string | null;
  input: Record<string, unknown>;
  /** By performance.now(). */
  at: number;
  trouble: Trouble | null;
  /** Whether the answer was LEASE_LOST. */
  lost: boolean;
}

export interface Job {
  id: string;
  type: string;
  input: Record<string, unknown>;
  attempt: number;
  checkpoint: unknown;
  files: readonly { reference: string; file: StoredFile }[];
}

/** One attempt at a job, from its offer to its end. */
export class Assignment {
  readonly token = `lease_${randomUUID()}`;
  readonly job: Job;
  readonly seconds: number;
  readonly calls: Call[] = [];
  /** By performance.now(): when it was given out, and when the worker was first told LEASE_LOST. */
  heldAt: number | null = null;
  toldLostAt: number | null = null;
  /** What ended it, as far as it was carried out. */
  end: Call | null = null;
  #taken = false;

  constructor(job: Job, seconds: number) {
    this.job = job;
    this.seconds = seconds;
  }

  get held(): boolean {
    return this.heldAt !== null;
  }

  get status(): string {
    if (this.#taken) return 'CANCELLED';
    if (this.end === null) return this.held ? 'RUNNING' : 'PENDING';
    return { completeJob: 'COMPLETED', failJob: this.end.input['retryable'] === false ? 'FAILED' : 'PENDING' }[this.end.field] ?? 'PENDING';
  }

  /** When it was given out and renewed, in order. */
  get renewals(): number[] {
    const renewing = this.calls.filter(({ purpose, lost, trouble }) => purpose === 'report' && !lost && trouble?.kind !== 'refused');
    return [this.heldAt ?? 0, ...renewing.map(({ at }) => at)];
  }

  /** What was told in its end, of completeJob. */
  get output(): Record<string, unknown> {
    const output = this.end?.input['output'];
    return typeof output === 'object' && output !== null ? { ...output } : {};
  }

  begin(): void {
    this.heldAt = performance.now();
  }

  /** The worker holds it no longer: the job was cancelled. */
  takeAway(): void {
    this.#taken = true;
  }

  /** Carries a call out, or not. @returns whether the lease holds, or this is its end once more */
  take(call: Call): boolean {
    this.calls.push(call);
    const again = this.end !== null && call.purpose === 'end' && same(this.end, call);
    if (this.#taken || (this.end !== null && !again)) {
      call.lost = true;
      this.toldLostAt ??= call.at;
      return false;
    }
    if (call.purpose === 'end') this.end ??= call;
    return true;
  }
}

/** Whether it is the same end. */
export function same(one: Call, other: Call): boolean {
  return one.field === other.field && isDeepStrictEqual(one.input, other.input);
}

/** How an attempt ended, in words that follow its job's name. */
export function describeEnd({ end, held }: Assignment): string {
  if (end === null) return held ? 'was not ended' : 'was not claimed';
  return `was ended by ${end.field} ${JSON.stringify({ ...end.input, token: undefined }).slice(0, 200)}`;
}
