import type { Bus } from '../../bus/bus.ts';
import type { Job } from '../model/job.ts';

/** Bus topic of one job's changes; a message is its new version. */
export function jobTopic(jobId: string): string {
  return `job:${jobId}`;
}

/**
 * Bus topic of everything that changes in a workspace; a message is lines of `jobId version`, one for each job whose
 * progress changed. A change of status is no line: it is in the log of changes, and being woken is enough to read it.
 */
export function workspaceTopic(workspaceId: string): string {
  return `workspace:${workspaceId}`;
}

/** Bus topic of claimable work; a message is lines of `workspaceId type`. */
export const workTopic = 'work';

/** Stands for every type in a message of the work topic; no type is called so. */
export const anyType = '*';

/** Work that became claimable. */
export interface Work {
  workspaceId: string;
  type: string;
}

/** Tells other processes, after the commit and never before it, what is worth reading again. */
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
    this.#bus.publish(jobTopic(job.id), String(job.version));
    this.workspaceChanged(job.workspaceId);
  }

  /** A job's progress changed. */
  jobProgressed(job: Pick<Job, 'id' | 'workspaceId' | 'version'>): void {
    this.#bus.publish(jobTopic(job.id), String(job.version));
    this.#linesOf(job.workspaceId).push(`${job.id} ${job.version}`);
  }

  /** Jobs were created, or changed their status: all of one tick wake once. */
  workspaceChanged(workspaceId: string): void {
    this.#linesOf(workspaceId);
  }

  /** Work of one tick goes out as one message. */
  workAvailable(work: Work): void {
    if (this.#work.size === 0) setImmediate(() => this.#flush());
    this.#work.add(`${work.workspaceId} ${work.type}`);
  }

  /** A limited workspace may run one job more, of whatever type. */
  slotFreed(workspaceId: string): void {
    this.workAvailable({ workspaceId, type: anyType });
  }

  /**
   * A webhook delivery was noted. Said within this process alone, whose sender takes it: over the bus every process would
   * run for the same row. Where this one dies first, the others find the row within a second.
   */
  deliveryNoted(): void {
    this.#toSender?.();
  }

  /** The sender of this process. */
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

/** Reads a message of the work topic. */
export function parseWork(message: string): Work[] {
  return message.split('\n').map((line) => {
    const space = line.indexOf(' ');
    return { workspaceId: line.slice(0, space), type: line.slice(space + 1) };
  });
}

/** Reads a message of a workspace's topic: the jobs whose progress changed, and to which version. */
export function parseProgressed(message: string): { id: string; version: number }[] {
  if (message === '') return [];
  return message.split('\n').map((line) => {
    const space = line.indexOf(' ');
    return { id: line.slice(0, space), version: Number(line.slice(space + 1)) };
  });
}
