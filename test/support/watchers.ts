import { onTestFinished } from 'vitest';
import type { JobStatus } from '../graphql/generated/graphql.ts';
import { isFinal } from '../../src/jobs/model/state-machine.ts';
import {
  quit,
  type ResumingClient,
  resumeOverEvents,
  resumeOverSocket,
  type UpdatedJob,
  watchUpdates,
} from './resuming.ts';

/** A job's final state, and when its end was requested (`performance.now()`). */
export interface JobEnd {
  version: number;
  status: JobStatus;
  askedAt: number;
}

/** A client, with the times of its connection attempts. */
export class Returning {
  readonly over: 'socket' | 'events';
  readonly resuming: ResumingClient;
  readonly tries: number[] = [];

  constructor(over: 'socket' | 'events', url: string, key: string) {
    this.over = over;
    const token = async () => {
      this.tries.push(performance.now());
      return key;
    };
    this.resuming = over === 'socket' ? resumeOverSocket(url, token) : resumeOverEvents(url, token);
    onTestFinished(() => quit(this.resuming.client));
  }

  /** When its last connection attempt began. */
  get cameBackAt(): number {
    return this.tries.at(-1) ?? Infinity;
  }
}

/** A watcher of one job, with everything that it received. */
export class ProgressWatcher {
  readonly jobId: string;
  readonly client: Returning;
  readonly seen: { version: number; status: JobStatus; at: number }[] = [];
  /** What ended it; null is an orderly end. More than one entry is a fault. */
  readonly ends: unknown[] = [];
  readonly begun: Promise<void>;

  constructor(client: Returning, jobId: string) {
    this.client = client;
    this.jobId = jobId;
    const begun = Promise.withResolvers<void>();
    this.begun = begun.promise;
    client.resuming.watch(
      jobId,
      ({ version, status }) => {
        this.seen.push({ version, status, at: performance.now() });
        begun.resolve();
      },
      (error) => {
        this.ends.push(error);
        begun.resolve();
      },
    );
  }

  /** Milliseconds until it learned of its job's end, from that end or from its last reconnection, whichever was later. */
  waited({ askedAt }: JobEnd): number {
    const final = this.seen.find(({ status }) => isFinal(status));
    return final === undefined ? Infinity : final.at - Math.max(askedAt, this.client.cameBackAt);
  }

  /** Violations of PROTOCOL.md (P2, P3). */
  faults(end: JobEnd): string[] {
    const who = `${this.client.over} watcher of ${this.jobId}`;
    const versions = this.seen.map(({ version }) => version);
    const finals = this.seen.filter(({ status }) => isFinal(status));
    const last = this.seen.at(-1);
    return [
      ...versions.flatMap((version, index) =>
        index > 0 && version <= (versions[index - 1] ?? 0) ? [`${who}: ${version} after ${versions[index - 1]}`] : [],
      ),
      ...(finals.length === 1 ? [] : [`${who}: ${finals.length} final versions`]),
      ...(last?.version === end.version && last.status === end.status
        ? []
        : [`${who}: ended with ${last?.status} ${last?.version}, not ${end.status} ${end.version}`]),
      ...(this.ends.length === 1 && this.ends[0] === null
        ? []
        : [`${who}: ended by ${this.ends.map(describe).join(', ') || 'nothing'}`]),
    ];
  }
}

/** A watcher of a workspace, which can leave and resume with its cursor. */
export class UpdatesWatcher {
  readonly name: string;
  readonly #key: string;
  readonly #last = new Map<string, UpdatedJob>();
  readonly #statuses = new Map<string, JobStatus[]>();
  #cursor: string | null = null;
  #leave: (() => void) | null = null;
  /** Why it ended unexpectedly. */
  readonly faults: string[] = [];

  constructor(name: string, key: string) {
    this.name = name;
    this.#key = key;
    onTestFinished(() => this.leave());
  }

  /** Resumes from its cursor, if it has one. */
  come(over: 'socket' | 'events', url: string): void {
    let here = true;
    const watch = watchUpdates(
      over,
      url,
      async () => this.#key,
      this.#cursor,
      ({ cursor, job }) => {
        this.#cursor = cursor;
        this.#take(job);
      },
      (error) => here && this.faults.push(`${this.name}: ended by ${describe(error)}`),
    );
    this.#leave = () => {
      here = false;
      watch.leave();
    };
  }

  /** May be called twice. */
  leave(): void {
    this.#leave?.();
    this.#leave = null;
  }

  get hasCursor(): boolean {
    return this.#cursor !== null;
  }

  /** Each status of the job, in order. Repeats of one status are progress. */
  statusesOf(jobId: string): readonly JobStatus[] {
    return this.#statuses.get(jobId) ?? [];
  }

  /** Ignores repetitions: versions that are not above the last one (PROTOCOL.md, U2). */
  #take(job: UpdatedJob): void {
    const last = this.#last.get(job.id);
    if (last !== undefined && job.version <= last.version) return;
    this.#last.set(job.id, job);
    if (last?.status !== job.status) this.#statuses.set(job.id, [...this.statusesOf(job.id), job.status]);
  }
}

function describe(error: unknown): string {
  if (error === null) return 'completion';
  if (error instanceof Error) return `${error.name}: ${error.message}`;
  if (typeof error === 'object' && 'code' in error) return `close code ${String(error.code)}`;
  return JSON.stringify(error);
}
