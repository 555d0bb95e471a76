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

/** Where a job stood in the end, and when its end was asked for (`performance.now()`). */
export interface JobEnd {
  version: number;
  status: JobStatus;
  askedAt: number;
}

/** A client and the moments at which it connected, or tried to. */
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

  /** When it began to connect for the last time. */
  get cameBackAt(): number {
    return this.tries.at(-1) ?? Infinity;
  }
}

/** A watcher of one job, and all that it was told. */
export class ProgressWatcher {
  readonly jobId: string;
  readonly client: Returning;
  readonly seen: { version: number; status: JobStatus; at: number }[] = [];
  /** What ended it: null is the orderly end. More than one is a fault. */
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

  /** Milliseconds from the end of its job, or from its own last return where that was later, to its knowing. */
  waited({ askedAt }: JobEnd): number {
    const final = this.seen.find(({ status }) => isFinal(status));
    return final === undefined ? Infinity : final.at - Math.max(askedAt, this.client.cameBackAt);
  }

  /** What was not as PROTOCOL.md promises (P2, P3). */
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

/** A watcher of a workspace, which may leave and come back with its cursor. */
export class UpdatesWatcher {
  readonly name: string;
  readonly #key: string;
  readonly #last = new Map<string, UpdatedJob>();
  readonly #statuses = new Map<string, JobStatus[]>();
  #cursor: string | null = null;
  #leave: (() => void) | null = null;
  /** Why it ended although nobody wanted it to. */
  readonly faults: string[] = [];

  constructor(name: string, key: string) {
    this.name = name;
    this.#key = key;
    onTestFinished(() => this.leave());
  }

  /** From its cursor, where it has one. */
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

  /** Each status that the job took, in order; those of one status in a row are its progress. */
  statusesOf(jobId: string): readonly JobStatus[] {
    return this.#statuses.get(jobId) ?? [];
  }

  /** A version that is not above the last one is a repetition (PROTOCOL.md, U2). */
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
