import type { Bus } from '../../bus/bus.ts';
import type { Job } from '../model/job.ts';

/** Bus topic for the changes of one job. A message is the job's new version. */
export function jobTopic(jobId: string): string {
  return `job:${jobId}`;
}

/** Bus topic for the lines of one job's log. Messages are empty. */
export function logTopic(jobId: string): string {
  return `log:${jobId}`;
}

/**
 * Bus topic for all changes in a workspace. A message has one line `jobId version` for each job whose progress
 * changed. A status change needs no line: it is in the change log, and the wake-up alone makes readers read the log.
 */
export function workspaceTopic(workspaceId: string): string {
  return `workspace:${workspaceId}`;
}

/** Bus topic for claimable work. A message has lines of `workspaceId type`. */
export const workTopic = 'work';

/** Bus topic for workers that are about to stop: see Claimer. */
export const leavingTopic = 'leaving';

/**
 * Bus topic for the leases of a key that ended without its word. A message is `jobId attempt`: what a worker is told, its token
 * too, is read from the database.
 */
export function lostTopic(apiKeyId: string): string {
  return `lost:${apiKeyId}`;
}

/** Means every type in a message of the work topic. No job type can have this name. */
export const anyType = '*';

/** Means every workspace in a message of the work topic. */
export const anyWorkspace = '*';

/** Work that became claimable. */
export interface Work {
  workspaceId: string;
  type: string;
}

/** Tells all processes what to read again. Call it only after the commit, never before. */
export class Announcer {
  readonly #bus: Bus;
  readonly #work = new Set<string>();
  readonly #workspaces = new Map<string, string[]>();
  #toSender: (() => void) | null = null;

  constructor(bus: Bus) {
    this.#bus = bus;
  }

  /** A job's status changed. */
  jobChanged(job: Pick<Job, 'id' | 'workspaceId' | 'version'>): void {
    // In this order, so that the bus sends both together.
    this.workspaceChanged(job.workspaceId);
    this.#bus.publish(jobTopic(job.id), String(job.version));
  }

  /** A job's progress changed. */
  jobProgressed(job: Pick<Job, 'id' | 'workspaceId' | 'version'>): void {
    this.#linesOf(job.workspaceId).push(`${job.id} ${job.version}`);
    this.#bus.publish(jobTopic(job.id), String(job.version));
  }

  /** Lines were appended to a job's log. */
  logged(jobId: string): void {
    this.#bus.publish(logTopic(jobId), '');
  }

  /** Jobs were created or changed status. All changes of one tick share a wake-up. */
  workspaceChanged(workspaceId: string): void {
    this.#linesOf(workspaceId);
  }

  /** Work became claimable. All work of one tick goes out as one message. */
  workAvailable(work: Work): void {
    if (this.#work.size === 0) setImmediate(() => this.#flush());
    this.#work.add(`${work.workspaceId} ${work.type}`);
  }

  /** A limited workspace may run one more job, of any type. */
  slotFreed(workspaceId: string): void {
    this.workAvailable({ workspaceId, type: anyType });
  }

  /** An attempt ended, and the worker with this key that held it does not know. */
  leaseLost(apiKeyId: string, { id, attempt }: Pick<Job, 'id' | 'attempt'>): void {
    this.#bus.publish(lostTopic(apiKeyId), `${id} ${attempt}`);
  }

  /**
   * A webhook delivery was recorded. Wakes only this process's sender: over the bus, every process would compete for
   * the same row. If this process dies first, the others find the row within a second.
   */
  deliveryNoted(): void {
    this.#toSender?.();
  }

  /** Sets the listener for recorded deliveries: the webhook sender of this process. */
  onDeliveryNoted(listener: (() => void) | null): void {
    this.#toSender = listener;
  }

  #linesOf(workspaceId: string): string[] {
    if (this.#workspaces.size === 0) setImmediate(() => this.#flushWorkspaces());
    let lines = this.#workspaces.get(workspaceId);
    if (lines === undefined) {
      lines = [];
      this.#workspaces.set(workspaceId, lines);
    }
    return lines;
  }

  #flushWorkspaces(): void {
    for (const [id, lines] of this.#workspaces) this.#bus.publish(workspaceTopic(id), lines.join('\n'));
    this.#workspaces.clear();
  }

  #flush(): void {
    const lines = [...this.#work].join('\n');
    this.#work.clear();
    this.#bus.publish(workTopic, lines);
  }
}

/** Parses a message of the work topic. */
export function parseWork(message: string): Work[] {
  return message.split('\n').map((line) => {
    const space = line.indexOf(' ');
    return { workspaceId: line.slice(0, space), type: line.slice(space + 1) };
  });
}

/** Parses a message of a workspace's topic: the jobs whose progress changed, with their new versions. */
export function parseProgressed(message: string): { id: string; version: number }[] {
  if (message === '') return [];
  return message.split('\n').map((line) => {
    const space = line.indexOf(' ');
    return { id: line.slice(0, space), version: Number(line.slice(space + 1)) };
  });
}
