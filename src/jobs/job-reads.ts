import type { Database } from '../database/database.ts';
import type { Job } from './job.ts';
import { type JobRow, jobColumns, jobFromRow } from './rows.ts';

/** Statements under way at once: enough to keep Postgres busy, few enough that reads gather behind them. */
const lanes = 2;

/** Jobs in one statement. */
const batchSize = 500;

interface Waiting {
  workspaceId: string;
  id: string;
  resolve: (job: Job | null) => void;
  reject: (error: unknown) => void;
}

/**
 * Reads single jobs for everyone who asks. Reads that come while others are under way share the next statement; none
 * joins one that has begun, so whoever asks after a commit sees it.
 */
export class JobReads {
  readonly #database: Database;
  #waiting: Waiting[] = [];
  #underWay = 0;

  constructor(database: Database) {
    this.#database = database;
  }

  /** Null for another workspace's job as for one that does not exist. */
  find(workspaceId: string, id: string): Promise<Job | null> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ workspaceId, id, resolve, reject });
      if (this.#waiting.length === 1) setImmediate(() => this.#begin());
    });
  }

  #begin(): void {
    while (this.#waiting.length > 0 && this.#underWay < lanes) {
      const batch = this.#waiting.slice(0, batchSize);
      this.#waiting = this.#waiting.slice(batchSize);
      this.#underWay += 1;
      void this.#read(batch).finally(() => {
        this.#underWay -= 1;
        this.#begin();
      });
    }
  }

  async #read(batch: Waiting[]): Promise<void> {
    try {
      const jobs = new Map<string, Job>();
      const rows = await this.#database.query<JobRow>(
        statement,
        [batch.map(({ id }) => id), batch.map(({ workspaceId }) => workspaceId)],
        'prepared',
      );
      for (const row of rows) jobs.set(row.id, jobFromRow(row));
      for (const { workspaceId, id, resolve } of batch) {
        const job = jobs.get(id);
        resolve(job?.workspaceId === workspaceId ? job : null);
      }
    } catch (error) {
      for (const { reject } of batch) reject(error);
    }
  }
}

const statement = `
  SELECT ${jobColumns('job')}
  FROM (SELECT DISTINCT * FROM unnest($1::uuid[], $2::uuid[]) AS asked(id, workspace_id)) AS asked
  JOIN job ON job.id = asked.id AND job.workspace_id = asked.workspace_id`;
