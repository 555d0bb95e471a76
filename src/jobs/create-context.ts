import type { Bus } from '../bus/bus.ts';
import type { Database } from '../database/database.ts';
import type { Dialect } from '../workspaces/dialect.ts';
import { createCompletions } from './end/completion-batch.ts';
import { Announcer } from './feed/announcer.ts';
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
  observer: JobObserver;
  /** Whether cancelling a job that came through this surface sends a webhook. */
  notifiesOfCancellation: (dialect: Dialect) => boolean;
}

/** Creates what the transitions of one process share. */
export function createContext({ database, bus, types, limits, workforce, pauses, observer, notifiesOfCancellation }: ContextParts): JobsContext {
  const announcer = new Announcer(bus);
  const completions = createCompletions({ database, announcer, observer });
  return { database, types, announcer, completions, limits, workforce, pauses, observer, notifiesOfCancellation };
}
