/**
 * The state machine of a job. No other file compares status names: transitions take `from` and `to` from here, SQL
 * takes its predicates from here, and code that only renders a status (GraphQL's enum, the dialects) uses an
 * exhaustive switch.
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
  /** The attempt failed or expired, and another one follows. */
  tryAgain: { from: ['RUNNING'], to: 'PENDING' },
  /** The attempt failed or expired, and it was the last one. */
  fail: { from: ['RUNNING'], to: 'FAILED' },
  /** A worker that shuts down handed the attempt back. It does not count as failed. */
  release: { from: ['RUNNING'], to: 'PENDING' },
  cancel: { from: ['PENDING', 'RUNNING'], to: 'CANCELLED' },
} as const satisfies Record<string, Transition>;

/** How an attempt ended. */
export const attemptOutcomes = ['COMPLETED', 'FAILED', 'EXPIRED', 'TIMEOUT', 'RELEASED', 'CANCELLED'] as const;

export type AttemptOutcome = (typeof attemptOutcomes)[number];

/** How an attempt ends other than by its worker's word. */
export const imposedOutcomes = ['CANCELLED', 'EXPIRED', 'TIMEOUT'] as const satisfies AttemptOutcome[];

export type ImposedOutcome = (typeof imposedOutcomes)[number];

const imposed: ReadonlySet<AttemptOutcome> = new Set(imposedOutcomes);

/** Whether the worker of an attempt that ended so does not know it yet. */
export function isImposed(outcome: AttemptOutcome): boolean {
  return imposed.has(outcome);
}

/** The status of a newly created job. */
export const initialStatus = 'PENDING' satisfies JobStatus;

const final: ReadonlySet<JobStatus> = new Set(['COMPLETED', 'FAILED', 'CANCELLED'] satisfies JobStatus[]);

/** Whether the job can no longer change. */
export function isFinal(status: JobStatus): boolean {
  return final.has(status);
}

/** Whether the job can be retried by hand. It must have ended without a result; the retry is a new job. */
export function isRetryable(status: JobStatus): boolean {
  return status === 'FAILED' || status === 'CANCELLED';
}

/** Whether the job waits for a worker. */
export function isPending(status: JobStatus): boolean {
  return status === 'PENDING';
}

/** Whether a worker holds the job. */
export function isRunning(status: JobStatus): boolean {
  return status === 'RUNNING';
}

/**
 * Whether the job waits between two attempts. Dialects show it as running, so that no client sees a job move
 * backwards.
 */
export function isBetweenAttempts(status: JobStatus, attempt: number): boolean {
  return status === 'PENDING' && attempt > 0;
}

/**
 * The status that the REST dialects show. A job between two attempts counts as `working`, so that no client sees it
 * move backwards.
 */
export const jobPhases = ['waiting', 'working', 'completed', 'failed', 'cancelled'] as const;

export type JobPhase = (typeof jobPhases)[number];

/** The phase of one job. Agrees with `sqlPhase`. */
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

/** SQL predicates on table `job`, for lists that filter by the phase they show. */
export const sqlPhase = {
  waiting: `job.status = 'PENDING' AND job.attempt = 0`,
  working: `(job.status = 'RUNNING' OR job.status = 'PENDING' AND job.attempt > 0)`,
  completed: `job.status = 'COMPLETED'`,
  failed: `job.status = 'FAILED'`,
  cancelled: `job.status = 'CANCELLED'`,
} as const satisfies Record<JobPhase, string>;

/**
 * SQL predicates on table `job`. They are literals because the planner can match a partial index only against
 * constants.
 */
export const sqlIs = {
  pending: `job.status = 'PENDING'`,
  running: `job.status = 'RUNNING'`,
  notRunning: `job.status <> 'RUNNING'`,
  /** Due, and waiting for a worker. */
  claimable: `job.status = 'PENDING' AND job.ready`,
  /** Waiting for runAt or the end of a backoff. */
  waiting: `job.status = 'PENDING' AND NOT job.ready`,
  cancellable: `job.status IN ('PENDING', 'RUNNING')`,
  final: `job.status IN ('COMPLETED', 'FAILED', 'CANCELLED')`,
  /** Ended without a result, so its charge was refunded. */
  refunded: `job.status IN ('FAILED', 'CANCELLED')`,
} as const;
