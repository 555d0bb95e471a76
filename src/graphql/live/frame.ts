import { isFinal } from '../../jobs/model/state-machine.ts';
import type { Job } from '../../jobs/model/job.ts';

/** One event of a subscription, rendered once for everyone who watches it. */
export interface Frame {
  jobId: string;
  version: number;
  /** The execution's result as JSON: the same text for every watcher and transport (PROTOCOL.md, S2). */
  payload: string;
  /** Where a watcher resumes that has got this far (E2). */
  resumeId: string;
  /** While it waits, newer news of the same job may take its place (P7, U6). */
  replaceable: boolean;
  /** Nothing comes after it (P3). */
  last: boolean;
}

/** A frame that is still to be rendered. */
export type Heading = Omit<Frame, 'payload'>;

/** What the subscriptions differ in, apart from their resolvers. */
export interface LiveField {
  /** The argument that says how far a watcher has got. */
  resumeArgument: 'afterVersion' | 'after';
  /** Whether a version stands for all before it: a late watcher begins with the newest, and none is sent twice. */
  replays: boolean;
  /** Null for what is no event of this field. */
  headingOf(event: unknown): Heading | null;
}

/** jobProgress: one job, versions that only grow. */
const jobProgress: LiveField = {
  resumeArgument: 'afterVersion',
  replays: true,
  headingOf(event) {
    if (!isJob(event)) return null;
    const { id: jobId, version, status } = event;
    return { jobId, version, resumeId: String(version), replaceable: true, last: isFinal(status) };
  },
};

/** jobUpdates: a workspace's jobs; a change of status gives way to nothing. */
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

/** Undefined for what is no subscription of ours. */
export function findLiveField(name: string): LiveField | undefined {
  return liveFields.get(name);
}

function isJob(event: unknown): event is Job {
  return typeof event === 'object' && event !== null && 'id' in event && 'version' in event && 'status' in event;
}

function isUpdate(event: unknown): event is { job: Job; cursor: string; change: boolean } {
  return typeof event === 'object' && event !== null && 'job' in event && isJob(event.job) && 'cursor' in event;
}
