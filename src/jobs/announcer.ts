import type { Bus } from '../bus/bus.ts';
import type { Job } from './job.ts';

/** Bus topic of one job's changes; a message is its new version. */
export function jobTopic(jobId: string): string {
  return `job:${jobId}`;
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

  constructor(bus: Bus) {
    this.#bus = bus;
  }

  jobChanged(job: Pick<Job, 'id' | 'version'>): void {
    this.#bus.publish(jobTopic(job.id), String(job.version));
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
