import type { Database } from '../database/database.ts';
import { Batches } from './batches.ts';
import type { Job } from './job.ts';
import { type JobRow, jobColumns, jobColumnsWhere, jobFromRow } from './rows.ts';

interface Asked {
  workspaceId: string;
  id: string;
  /** The version that the asker has; null for none. */
  version: number | null;
}

/** A job that is at the version which the asker has: all of it is as it was, but that its file may be gone. */
export interface Unchanged {
  unchanged: true;
  artifactExpiresAt: Date | null;
}

/**
 * Reads single jobs for everyone who asks. Reads that come while others are under way share the next statement; none
 * joins one that has begun, so whoever asks after a commit sees it.
 */
export class JobReads {
  readonly #batches: Batches<Asked, Job | Unchanged | null>;

  /** What was asked for so far, and the statements that answered it: far fewer where many are in flight together. */
  readonly counted = { reads: 0, statements: 0 };

  constructor(database: Database) {
    // Two statements at once keep Postgres busy, and are few enough that reads gather behind them.
    this.#batches = new Batches((asked) => this.#read(database, asked), { lanes: 2, size: 500, turns: 10 });
  }

  /** Null for another workspace's job as for one that does not exist. */
  async find(workspaceId: string, id: string): Promise<Job | null> {
    const found = await this.#ask({ workspaceId, id, version: null });
    if (found !== null && 'unchanged' in found) throw new Error('a job came without its columns');
    return found;
  }

  /** As `find`, for who has a version of the job already: nothing else of it is read while it is at that. */
  findUnlessAt(version: number, workspaceId: string, id: string): Promise<Job | Unchanged | null> {
    return this.#ask({ workspaceId, id, version });
  }

  #ask(asked: Asked): Promise<Job | Unchanged | null> {
    this.counted.reads += 1;
    return this.#batches.add(asked);
  }

  async #read(database: Database, asked: readonly Asked[]): Promise<(Job | Unchanged | null)[]> {
    const wanted = new Map<string, Asked>();
    const keys = asked.map((each) => {
      const key = `${each.workspaceId} ${each.id}`;
      const other = wanted.get(key);
      if (other === undefined) wanted.set(key, each);
      // Who has another version needs the row, and it serves both.
      else if (other.version !== each.version) wanted.set(key, { ...each, version: null });
      return key;
    });
    const found = await this.#find(database, [...wanted.values()]);
    const results = new Map<string, Job | Unchanged | null>();
    for (const key of wanted.keys()) results.set(key, found.get(results.size + 1) ?? null);
    return keys.map((key) => results.get(key) ?? null);
  }

  /** By their place, from 1 on. */
  async #find(database: Database, asked: readonly Asked[]): Promise<Map<number, Job | Unchanged>> {
    const versions = asked.map(({ version }) => version);
    const parameters = [asked.map(({ id }) => id), asked.map(({ workspaceId }) => workspaceId), versions];
    if (!versions.includes(null)) {
      this.counted.statements += 1;
      // Most polls find what they know: hardly anything has to be read then.
      const heads = await database.query<HeadRow>(heading, parameters, 'prepared');
      if (heads.every(isUnchanged)) return new Map(heads.map((row) => [row.place, unchangedIn(row)]));
    }
    this.counted.statements += 1;
    const statement = versions.some((version) => version !== null) ? changedOnly : whole;
    const rows = await database.query<HeadRow & JobRow>(statement, parameters, 'prepared');
    return new Map(rows.map((row) => [row.place, isUnchanged(row) ? unchangedIn(row) : jobFromRow(row)]));
  }
}

interface HeadRow {
  /** Among those that were asked for, from 1 on. */
  place: number;
  changed: boolean;
  /** Of every job, changed or not. */
  file_expires_at: string | null;
}

function isUnchanged({ changed }: HeadRow): boolean {
  return !changed;
}

function unchangedIn({ file_expires_at: expiresAt }: HeadRow): Unchanged {
  return { unchanged: true, artifactExpiresAt: expiresAt === null ? null : new Date(expiresAt) };
}

const changed = 'job.version IS DISTINCT FROM asked.version';
const head = `asked.place::int, ${changed} AS changed, job.artifact_expires_at AS file_expires_at`;
const from = `
  FROM unnest($1::uuid[], $2::uuid[], $3::int[]) WITH ORDINALITY AS asked(id, workspace_id, version, place)
  JOIN job ON job.id = asked.id AND job.workspace_id = asked.workspace_id`;

const heading = `SELECT ${head} ${from}`;
const whole = `SELECT ${head}, ${jobColumns('job')} ${from}`;
/** Columns other than the head's are of those that have changed only. */
const changedOnly = `SELECT ${head}, ${jobColumnsWhere('job', changed)} ${from}`;
