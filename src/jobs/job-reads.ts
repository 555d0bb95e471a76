import type { Database } from '../database/database.ts';
import { Batches } from './batches.ts';
import type { Job } from './job.ts';
import { type JobRow, jobColumns, jobFromRow } from './rows.ts';

interface Asked {
  workspaceId: string;
  id: string;
}

/**
 * Reads single jobs for everyone who asks. Reads that come while others are under way share the next statement; none
 * joins one that has begun, so whoever asks after a commit sees it.
 */
export class JobReads {
  readonly #batches: Batches<Asked, Job | null>;

  /** What was asked for so far, and the statements that answered it: far fewer where many are in flight together. */
  readonly counted = { reads: 0, statements: 0 };

  constructor(database: Database) {
    // Two statements at once keep Postgres busy, and are few enough that reads gather behind them.
    this.#batches = new Batches(
      (asked) => {
        this.counted.statements += 1;
        return readJobs(database, asked);
      },
      { lanes: 2, size: 500 },
    );
  }

  /** Null for another workspace's job as for one that does not exist. */
  find(workspaceId: string, id: string): Promise<Job | null> {
    this.counted.reads += 1;
    return this.#batches.add({ workspaceId, id });
  }
}

async function readJobs(database: Database, asked: readonly Asked[]): Promise<(Job | null)[]> {
  const rows = await database.query<JobRow>(
    statement,
    [asked.map(({ id }) => id), asked.map(({ workspaceId }) => workspaceId)],
    'prepared',
  );
  const jobs = new Map(rows.map((row) => [row.id, jobFromRow(row)]));
  return asked.map(({ workspaceId, id }) => {
    const job = jobs.get(id);
    return job?.workspaceId === workspaceId ? job : null;
  });
}

const statement = `
  SELECT ${jobColumns('job')}
  FROM (SELECT DISTINCT * FROM unnest($1::uuid[], $2::uuid[]) AS asked(id, workspace_id)) AS asked
  JOIN job ON job.id = asked.id AND job.workspace_id = asked.workspace_id`;
