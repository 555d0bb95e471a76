import type { Database } from '../../database/database.ts';
import { Batches } from '../../concurrency/batches.ts';
import type { Job } from '../model/job.ts';
import { type JobRow, jobColumns, jobColumnsWhere, jobFromRow } from '../model/rows.ts';

/** A job as the caller has it. */
export type KnownJob = Pick<Job, 'id' | 'workspaceId' | 'version' | 'artifactExpiresAt'>;

/** A job to read: always, or only if it is no longer as it is known. */
type Asked = Pick<Job, 'id' | 'workspaceId'> & Partial<KnownJob>;

/** A job as it is now, null for none, or that it is as it was known. */
export type Found = Job | 'unchanged' | null;

/**
 * Reads single jobs for everyone who asks. Reads that come while others are under way share the next statement. None
 * joins one that has begun, so whoever asks after a commit sees it.
 */
export class JobReads {
  readonly #database: Database;
  readonly #batches: Batches<Asked, Found>;

  /** Reads that were asked for, and the statements that answered them: far fewer if many are in flight together. */
  readonly counted = { reads: 0, statements: 0 };

  constructor(database: Database) {
    this.#database = database;
    // Two statements at once keep Postgres busy, and are few enough that reads gather behind them.
    this.#batches = new Batches((asked) => this.#read(asked), { lanes: 2, size: 500, turns: 10 });
  }

  /**
   * Null for another workspace's job as for one that does not exist.
   *
   * @param id must be a UUID
   */
  async find(workspaceId: string, id: string): Promise<Job | null> {
    const found = await this.#ask({ workspaceId, id });
    if (found === 'unchanged') throw new Error('a job came without its columns');
    return found;
  }

  /** What became of a job that the caller has. Of one that is as it was, hardly anything is read. */
  findChanged(known: KnownJob): Promise<Found> {
    return this.#ask(known);
  }

  #ask(asked: Asked): Promise<Found> {
    this.counted.reads += 1;
    return this.#batches.add(asked);
  }

  /** Each job is read once, however many ask for it. */
  async #read(asked: readonly Asked[]): Promise<Found[]> {
    const wanted = new Map<string, Asked>();
    const keys = asked.map((each) => {
      const first = wanted.get(each.id);
      const key = first === undefined || first.workspaceId === each.workspaceId ? each.id : `${each.id} ${each.workspaceId}`;
      const other = key === each.id ? first : wanted.get(key);
      if (other === undefined) wanted.set(key, each);
      // Whoever knows another version needs the row, and it serves both.
      else if (!isSame(other, each)) wanted.set(key, { workspaceId: each.workspaceId, id: each.id });
      return key;
    });
    const found = await this.#find([...wanted.values()]);
    const results = new Map([...wanted.keys()].map((key, place) => [key, found[place] ?? null]));
    return keys.map((key) => results.get(key) ?? null);
  }

  async #find(asked: readonly Asked[]): Promise<Found[]> {
    if (!asked.every(isKnown)) {
      const statement = asked.some(isKnown) ? changedOnly : whole;
      const rows = byPlace(await this.#query<JobRow & { unchanged: boolean }>(statement, asked));
      return asked.map((_each, index) => foundIn(rows.get(index)));
    }
    // Most polls know the newest version, so that no job has to be read.
    const changed = byPlace(await this.#query(changedPlaces, asked));
    if (changed.size === 0) return asked.map(() => 'unchanged');
    const others = asked.filter((_each, index) => changed.has(index));
    const rows = byPlace(await this.#query<JobRow & { unchanged: boolean }>(whole, others));
    const found = others.map((_each, index) => foundIn(rows.get(index)));
    return asked.map((_each, index) => (changed.has(index) ? (found.shift() ?? null) : 'unchanged'));
  }

  #query<Row>(statement: string, asked: readonly Asked[]): Promise<(Row & Placed)[]> {
    this.counted.statements += 1;
    // The arrays are written out here: `pg` would look for characters to escape in every element.
    const parameters = [
      arrayOf(asked, ({ id }) => id),
      arrayOf(asked, ({ workspaceId }) => workspaceId),
      arrayOf(asked, ({ version }) => version?.toString()),
      arrayOf(asked, ({ artifactExpiresAt }) => artifactExpiresAt?.toISOString()),
    ];
    return this.#database.hot.query<Row & Placed>(statement, parameters);
  }
}

/** A row, and the place of what it answers, from 1 on. */
interface Placed {
  place: number;
}

/** Rows by the index, from 0 on, of what they answer. */
function byPlace<Row extends Placed>(rows: readonly Row[]): Map<number, Row> {
  return new Map(rows.map((row) => [row.place - 1, row]));
}

function foundIn(row: (JobRow & { unchanged: boolean }) | undefined): Found {
  if (row === undefined) return null;
  return row.unchanged ? 'unchanged' : jobFromRow(row);
}

function isKnown({ version }: Asked): boolean {
  return version !== undefined;
}

function isSame(one: Asked, other: Asked): boolean {
  if (one === other) return true;
  return one.version === other.version && one.artifactExpiresAt?.getTime() === other.artifactExpiresAt?.getTime();
}

function arrayOf(asked: readonly Asked[], element: (each: Asked) => string | undefined): string {
  return `{${asked.map((each) => element(each) ?? 'NULL').join(',')}}`;
}

const from = `FROM unnest($1::uuid[], $2::uuid[], $3::int[], $4::timestamptz[])
  WITH ORDINALITY AS asked(id, workspace_id, version, file_expires_at, place)`;
const its = 'job.id = asked.id AND job.workspace_id = asked.workspace_id';
/** JavaScript's dates have no microseconds. */
const changed = `(job.version IS DISTINCT FROM asked.version
  OR date_trunc('milliseconds', job.artifact_expires_at) IS DISTINCT FROM asked.file_expires_at)`;

const changedPlaces = `SELECT asked.place::int ${from} LEFT JOIN job ON ${its} WHERE ${changed}`;
const whole = `SELECT asked.place::int, false AS unchanged, ${jobColumns('job')} ${from} JOIN job ON ${its}`;
/** Columns of a job only where it has changed. */
const changedOnly = `
  SELECT asked.place::int, NOT ${changed} AS unchanged, ${jobColumnsWhere('job', changed)} ${from} JOIN job ON ${its}`;
