/**
 * The life of a job. No other file compares status names: transitions take their `from` and `to` here, SQL takes its
 * predicates here, and what merely renders a status (GraphQL's enum, the dialects) does so with an exhaustive switch.
 *
 *     PENDING ─claim→ RUNNING ─complete→ COMPLETED
 *        ↑               ├─fail, expire→ FAILED      (no attempt left, or declared final)
 *        └─fail, expire, release─┤                   (another attempt)
 *        └───── cancel ──┴─cancel→ CANCELLED
 */
export const jobStatuses = ['PENDING', 'RUNNING', 'COMPLETED', 'FAILED', 'CANCELLED'] as const;

export type JobStatus = (typeof jobStatuses)[number];

interface Transition {
  from: readonly JobStatus[];
  to: JobStatus;
}

export const transitions = {
  claim: { from: ['PENDING'], to: 'RUNNING' },
  complete: { from: ['RUNNING'], to: 'COMPLETED' },
  /** A failed or expired attempt after which another follows. */
  tryAgain: { from: ['RUNNING'], to: 'PENDING' },
  /** A failed or expired attempt that was the last. */
  fail: { from: ['RUNNING'], to: 'FAILED' },
  /** Handed back unharmed by a worker that shuts down. */
  release: { from: ['RUNNING'], to: 'PENDING' },
  cancel: { from: ['PENDING', 'RUNNING'], to: 'CANCELLED' },
} as const satisfies Record<string, Transition>;

/** Status of a job that was just created. */
export const initialStatus = 'PENDING' satisfies JobStatus;

const final: ReadonlySet<JobStatus> = new Set(['COMPLETED', 'FAILED', 'CANCELLED'] satisfies JobStatus[]);

/** Whether nothing can change the job any more. */
export function isFinal(status: JobStatus): boolean {
  return final.has(status);
}

/** A retry by hand makes a new job, and only of one that ended without a result. */
export function isRetryable(status: JobStatus): boolean {
  return status === 'FAILED' || status === 'CANCELLED';
}

/** Whether a worker holds the job. */
export function isRunning(status: JobStatus): boolean {
  return status === 'RUNNING';
}

/** Waiting between two attempts: dialects show it as running, so that no client sees a job go back. */
export function isBetweenAttempts(status: JobStatus, attempt: number): boolean {
  return status === 'PENDING' && attempt > 0;
}

/**
 * What clients of the REST dialects tell apart: a status, except that a job between two attempts is at work, so that no
 * client sees it go back.
 */
export const jobPhases = ['waiting', 'working', 'completed', 'failed', 'cancelled'] as const;

export type JobPhase = (typeof jobPhases)[number];

/** The same for one row as `sqlPhase` for a table. */
export function phaseOf(status: JobStatus, attempt: number): JobPhase {
  switch (status) {
    case 'PENDING':
      return isBetweenAttempts(status, attempt) ? 'working' : 'waiting';
    case 'RUNNING':
      return 'working';
    case 'COMPLETED':
      return 'completed';
    case 'FAILED':
      return 'failed';
    case 'CANCELLED':
      return 'cancelled';
  }
}

/** SQL predicates over the table `job`, for lists that are filtered as their rows are shown. */
export const sqlPhase = {
  waiting: `job.status = 'PENDING' AND job.attempt = 0`,
  working: `(job.status = 'RUNNING' OR job.status = 'PENDING' AND job.attempt > 0)`,
  completed: `job.status = 'COMPLETED'`,
  failed: `job.status = 'FAILED'`,
  cancelled: `job.status = 'CANCELLED'`,
} as const satisfies Record<JobPhase, string>;

/**
 * SQL predicates over the table `job`. Literal, because the planner proves that a partial index applies only from
 * constants.
 */
export const sqlIs = {
  pending: `job.status = 'PENDING'`,
  running: `job.status = 'RUNNING'`,
  /** Waiting for a worker, and due. */
  claimable: `job.status = 'PENDING' AND job.ready`,
  /** Waiting for its runAt or for the end of a backoff. */
  waiting: `job.status = 'PENDING' AND NOT job.ready`,
  cancellable: `job.status IN ('PENDING', 'RUNNING')`,
  final: `job.status IN ('COMPLETED', 'FAILED', 'CANCELLED')`,
  /** Ended without a result: what was charged went back. */
  refunded: `job.status IN ('FAILED', 'CANCELLED')`,
} as const;
