import { isFinal } from '../../jobs/model/state-machine.ts';
import type { Job } from '../../jobs/model/job.ts';

/** One event of a subscription, rendered once for all its watchers. */
export interface Frame {
  jobId: string;
  version: number;
  /** The execution result as JSON: the same text for every watcher and transport (PROTOCOL.md, S2). */
  payload: string;
  /** The position from which a watcher that got this frame resumes (E2). */
  resumeId: string;
  /** Whether a newer frame of the same job may replace it while it waits (P7, U6). */
  replaceable: boolean;
  /** Whether the subscription ends with it (P3). */
  last: boolean;
}

/** A frame before rendering. */
export type Heading = Omit<Frame, 'payload'>;

/** How the subscription fields differ, apart from their resolvers. */
export interface LiveField {
  /** The argument that carries a watcher's position. */
  resumeArgument: 'afterVersion' | 'after';
  /** Whether a version replaces all before it: a late watcher starts with the newest, and none is sent twice. */
  replays: boolean;
  /** Null if the value is not an event of this field. */
  headingOf(event: unknown): Heading | null;
}

/** Watches one job, whose versions only grow. */
const jobProgress: LiveField = {
  resumeArgument: 'afterVersion',
  replays: true,
  headingOf(event) {
    if (!isJob(event)) return null;
    const { id: jobId, version, status } = event;
    return { jobId, version, resumeId: String(version), replaceable: true, last: isFinal(status) };
  },
};

/** Watches a workspace's jobs. A change of status is never replaced by a newer frame. */
const jobUpdates: LiveField = {
  resumeArgument: 'after',
  replays: false,
  headingOf(event) {
    if (!isUpdate(event)) return null;
    const { job, cursor, change } = event;
    return { jobId: job.id, version: job.version, resumeId: cursor, replaceable: !change, last: false };
  },
};

const liveFields: ReadonlyMap<string, LiveField> = new Map(Object.entries({ jobProgress, jobUpdates }));

/** Undefined if it is not one of our subscriptions. */
export function findLiveField(name: string): LiveField | undefined {
  return liveFields.get(name);
}

function isJob(event: unknown): event is Job {
  return typeof event === 'object' && event !== null && 'id' in event && 'version' in event && 'status' in event;
}

function isUpdate(event: unknown): event is { job: Job; cursor: string; change: boolean } {
  return typeof event === 'object' && event !== null && 'job' in event && isJob(event.job) && 'cursor' in event;
}
