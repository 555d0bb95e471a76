import { type BulkAction, hasEnded } from '../../jobs/bulk/bulk-action.ts';
import { isFinal } from '../../jobs/model/state-machine.ts';
import type { LostLease } from '../../jobs/claim/lost-leases.ts';
import type { LogPage } from '../../jobs/logs/log-watch.ts';
import type { Job } from '../../jobs/model/job.ts';

/** One event of a subscription, rendered once for all its watchers. */
export interface Frame {
  /** Of the job, or of what else is watched. */
  jobId: string;
  /** Of the job, or the sequence of the last line. */
  version: number;
  /** The execution result as JSON: the same text for every watcher and transport (PROTOCOL.md, S2). */
  payload: string;
  /** The position from which a watcher that got this frame resumes (E2); null where there is none. */
  resumeId: string | null;
  /** Whether a newer frame of the same job may replace it while it waits (P7, U6). */
  replaceable: boolean;
  /** Whether the subscription ends with it (P3). */
  last: boolean;
}

/** A frame before rendering. */
type Heading = Omit<Frame, 'payload'>;

/**
 * How a watcher gets to where those are who watch the same thing already:
 *
 * - `newest`: the newest frame replaces all before it, so it starts with that.
 * - `alone`: an execution of its own sends what it has missed. Then it may get an event twice.
 * - `now`: it gets what comes from now on, and nothing else.
 * - `pages`: the source of the shared execution is read again for it, page by page: see PagedSource.
 */
export type Joining = 'newest' | 'alone' | 'now' | 'pages';

/** How the subscription fields differ, apart from their resolvers. */
export interface LiveField {
  /** The argument that carries a watcher's position; null if it has none: everybody starts now, or with the newest version. */
  resumeArgument: 'afterVersion' | 'after' | 'afterSequence' | null;
  joining: Joining;
  /** Null if the value is not an event of this field. */
  headingOf(event: unknown): Heading | null;
}

/** Watches one job, whose versions only grow. */
const jobProgress: LiveField = {
  resumeArgument: 'afterVersion',
  joining: 'newest',
  headingOf(event) {
    if (!isJob(event)) return null;
    const { id: jobId, version, status } = event;
    return { jobId, version, resumeId: String(version), replaceable: true, last: isFinal(status) };
  },
};

/** Watches a workspace's jobs. A change of status is never replaced by a newer frame. */
const jobUpdates: LiveField = {
  resumeArgument: 'after',
  joining: 'alone',
  headingOf(event) {
    if (!isUpdate(event)) return null;
    const { job, cursor, change } = event;
    return { jobId: job.id, version: job.version, resumeId: cursor, replaceable: !change, last: false };
  },
};

/** Tells a worker what it has lost, each lease once. */
const leaseLost: LiveField = {
  resumeArgument: null,
  joining: 'now',
  headingOf(event) {
    if (!isLostLease(event)) return null;
    return { jobId: event.jobId, version: 0, resumeId: null, replaceable: false, last: false };
  },
};

/** Watches one bulk action, whose versions only grow. */
const bulkActionProgress: LiveField = {
  resumeArgument: null,
  joining: 'newest',
  headingOf(event) {
    if (!isBulkAction(event)) return null;
    const { id: jobId, version } = event;
    return { jobId, version, resumeId: String(version), replaceable: true, last: hasEnded(event) };
  },
};

/** Watches the log of one job. No line is left out, and none is sent twice. */
const jobLogs: LiveField = {
  resumeArgument: 'afterSequence',
  joining: 'pages',
  headingOf(event) {
    if (!isLogPage(event)) return null;
    const last = event.lines.at(-1);
    if (last === undefined) return null;
    const { jobId, sequence: version } = last;
    return { jobId, version, resumeId: String(version), replaceable: false, last: false };
  },
};

const liveFields: ReadonlyMap<string, LiveField> = new Map(
  Object.entries({ jobProgress, jobUpdates, jobLogs, leaseLost, bulkActionProgress }),
);

/** Undefined if it is not one of our subscriptions. */
export function findLiveField(name: string): LiveField | undefined {
  return liveFields.get(name);
}

function isJob(event: unknown): event is Job {
  return typeof event === 'object' && event !== null && 'id' in event && 'version' in event && 'status' in event;
}

function isBulkAction(event: unknown): event is BulkAction {
  return typeof event === 'object' && event !== null && 'id' in event && 'version' in event && 'refused' in event;
}

function isUpdate(event: unknown): event is { job: Job; cursor: string; change: boolean } {
  return typeof event === 'object' && event !== null && 'job' in event && isJob(event.job) && 'cursor' in event;
}

function isLostLease(event: unknown): event is LostLease {
  return typeof event === 'object' && event !== null && 'jobId' in event && 'token' in event;
}

function isLogPage(event: unknown): event is LogPage {
  return typeof event === 'object' && event !== null && 'lines' in event && Array.isArray(event.lines);
}
