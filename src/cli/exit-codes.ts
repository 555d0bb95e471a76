/** What a command exits with. `doctor`, `check-ledger` and `migrate` have meanings of their own for 1 and 2. */
export const exitCodes = {
  done: 0,
  error: 1,
  usage: 2,
  /** A job that was waited for FAILED. */
  failed: 3,
  /** There is no key for the server, or it is not taken. */
  notSignedIn: 4,
  /** A job that was waited for was CANCELLED. */
  cancelled: 5,
  /** `--timeout` is over, and the job goes on. */
  stillRunning: 8,
  /** By Ctrl-C. */
  interrupted: 130,
} as const;
