import type { Bus } from '../../bus/bus.ts';
import type { Loop } from '../../concurrency/loop.ts';
import type { Database } from '../../database/database.ts';
import type { Log } from '../../log.ts';
import type { JobsContext } from '../model/context.ts';
import type { WorkspaceScope } from '../model/workspace-scope.ts';
import type { ReportQueue } from '../progress/report-queue.ts';
import { appendLogs, type LogLines } from './append.ts';
import { type Appended, AppendQueue } from './append-queue.ts';
import type { JobLogLine } from './line.ts';
import { LogFeed } from './log-feed.ts';
import type { LogsAsked, LogWatch } from './log-watch.ts';
import { countDropped, type LinesAsked, listLines } from './read.ts';

interface JobLogsParts {
  context: JobsContext;
  reports: ReportQueue;
  database: Database;
  bus: Bus;
  log: Log;
}

/** The logs of jobs: the facade that surfaces use. The function that each method calls documents what it throws. */
export class JobLogs {
  readonly #database: Database;
  readonly #appends: AppendQueue;
  readonly #feed: LogFeed;

  constructor({ context, reports, database, bus, log }: JobLogsParts) {
    this.#database = database;
    this.#appends = new AppendQueue(context, reports);
    this.#feed = new LogFeed(database, bus, log);
  }

  start(): void {
    this.#feed.start();
  }

  /** Ends every watch and writes the queued lines. May be called twice. */
  async stop(): Promise<void> {
    await Promise.all([this.#feed.stop(), this.#appends.drain()]);
  }

  get loop(): Loop {
    return this.#feed.loop;
  }

  /** How many logs this process watches. */
  get watched(): number {
    return this.#feed.size;
  }

  /** Appends lines to the log of a job, and renews the lease. */
  append(scope: WorkspaceScope, lines: LogLines): Promise<Appended> {
    return appendLogs(this.#appends, scope, lines);
  }

  /** The same range of lines of each of these jobs of a workspace. */
  list(workspaceId: string, jobIds: readonly string[], asked: LinesAsked): Promise<JobLogLine[]> {
    return listLines(this.#database.reads, workspaceId, jobIds, asked);
  }

  /** How many lines of each of these jobs of a workspace are not kept any more. Missing where none is. */
  countDropped(workspaceId: string, jobIds: readonly string[]): Promise<Map<string, number>> {
    return countDropped(this.#database.reads, workspaceId, jobIds);
  }

  /** Watches the lines of a job, from now on. Ends when the job has ended and its last line was taken. */
  watch(asked: LogsAsked): LogWatch {
    return this.#feed.watch(asked);
  }
}
