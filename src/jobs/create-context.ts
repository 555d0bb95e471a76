import { Batches } from '../concurrency/batches.ts';
import { type AttemptUploads, findAttemptUploads } from '../files/uploads/attempt-uploads.ts';
import type { Bus } from '../bus/bus.ts';
import type { Database } from '../database/database.ts';
import type { Log } from '../log.ts';
import type { Dialect } from '../workspaces/dialect.ts';
import { createCompletions } from './end/completion-batch.ts';
import { createLateCompletions } from './end/late-completion.ts';
import { Announcer } from './feed/announcer.ts';
import { ConcurrencyKeys } from './keys/concurrency-keys.ts';
import type { JobLimits, JobsContext } from './model/context.ts';
import type { JobObserver } from './model/observer.ts';
import type { Pauses } from './pausing/pauses.ts';
import type { JobTypes } from './types/registry.ts';
import type { Workforce } from './workers/workforce.ts';

/** The dependencies of a JobsContext. */
export interface ContextParts {
  database: Database;
  bus: Bus;
  types: JobTypes;
  limits: JobLimits;
  workforce: Workforce;
  pauses: Pauses;
  log: Log;
  observer: JobObserver;
  /** Whether cancelling a job that came through this surface sends a webhook. */
  notifiesOfCancellation: (dialect: Dialect) => boolean;
}

/** Creates what the transitions of one process share. */
export function createContext({ database, bus, types, limits, workforce, pauses, log, observer, notifiesOfCancellation }: ContextParts): JobsContext {
  const announcer = new Announcer(bus);
  const concurrencyKeys = new ConcurrencyKeys(database, announcer, log);
  const completions = createCompletions({ database, announcer, concurrencyKeys, observer });
  const lateCompletions = createLateCompletions({ database });
  const attemptUploads = new Batches((asked: readonly AttemptUploads[]) => findAttemptUploads(database.hot, asked), { lanes: 4, size: 100 });
  return {
    database, types, announcer, completions, lateCompletions, attemptUploads, limits, workforce, pauses, concurrencyKeys, observer, notifiesOfCancellation,
  };
}
