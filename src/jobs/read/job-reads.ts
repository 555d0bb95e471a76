import type { Database } from '../../database/database.ts';
import { Batches } from '../../concurrency/batches.ts';
import type { Job } from '../model/job.ts';
import { type JobRow, jobColumns, jobColumnsWhere, jobFromRow } from '../model/rows.ts';

/** Identifies the copy of a job that the caller already has. */
export type KnownJob = Pick<Job, 'id' | 'workspaceId' | 'version' | 'artifactExpiresAt'>;

/** A job to read. With a version, it is read only if it differs from that copy. */
type Asked = Pick<Job, 'id' | 'workspaceId'> & Partial<KnownJob>;

/** The current job, null if there is none, or `unchanged` if the caller's copy is current. */
export type Found = Job | 'unchanged' | null;

/**
 * Reads single jobs in batches. Reads that arrive while others are in flight share the next statement. A read never
 * joins a statement that has begun, so a read after a commit sees that commit.
 */
export class JobReads {
  readonly #database: Database;
  readonly #batches: Batches<Asked, Found>;

  /** How many reads were requested, and how many statements served them: far fewer under concurrent load. */
  readonly counted = { reads: 0, statements: 0 };

  constructor(database: Database) {
    this.#database = database;
    // Two statements at once keep Postgres busy, and are few enough for reads to batch up behind them.
    this.#batches = new Batches((asked) => this.#read(asked), { lanes: 2, size: 500, turns: 10 });
  }

  /**
   * Returns null if the job does not exist or belongs to another workspace.
   *
   * @param id must be a UUID.
   */
  async find(workspaceId: string, id: string): Promise<Job | null> {
    const found = await this.#ask({ workspaceId, id });
    if (found === 'unchanged') throw new Error('a job was read without its columns');
    return found;
  }

  /** Reads a job again if it differs from the caller's copy. An unchanged job costs hardly any reading. */
  findChanged(known: KnownJob): Promise<Found> {
    return this.#ask(known);
  }

  #ask(asked: Asked): Promise<Found> {
    this.counted.reads += 1;
    return this.#batches.add(asked);
  }

  /** Reads each job once, however many callers ask for it. */
  async #read(asked: readonly Asked[]): Promise<Found[]> {
    const wanted = new Map<string, Asked>();
    const keys = asked.map((each) => {
      const first = wanted.get(each.id);
      const key = first === undefined || first.workspaceId === each.workspaceId ? each.id : `${each.id} ${each.workspaceId}`;
      const other = key === each.id ? first : wanted.get(key);
      if (other === undefined) wanted.set(key, each);
      // Callers with different copies need the full row, which serves both.
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
    // Most polls already have the newest version, so first check which jobs have changed.
    const changed = byPlace(await this.#query(changedPlaces, asked));
    if (changed.size === 0) return asked.map(() => 'unchanged');
    const others = asked.filter((_each, index) => changed.has(index));
    const rows = byPlace(await this.#query<JobRow & { unchanged: boolean }>(whole, others));
    const found = others.map((_each, index) => foundIn(rows.get(index)));
    return asked.map((_each, index) => (changed.has(index) ? (found.shift() ?? null) : 'unchanged'));
  }

  #query<Row>(statement: string, asked: readonly Asked[]): Promise<(Row & Placed)[]> {
    this.counted.statements += 1;
    // Formats the arrays as text here, because `pg` would check every element for characters to escape.
    const parameters = [
      arrayOf(asked, ({ id }) => id),
      arrayOf(asked, ({ workspaceId }) => workspaceId),
      arrayOf(asked, ({ version }) => version?.toString()),
      arrayOf(asked, ({ artifactExpiresAt }) => artifactExpiresAt?.toISOString()),
    ];
    return this.#database.hot.query<Row & Placed>(statement, parameters);
  }
}

/** The 1-based position of the request that a row answers. */
interface Placed {
  place: number;
}

/** Rows by the 0-based index of the request that they answer. */
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

/** Whether two readings of a job show the same. */
export function isSame(one: Asked, other: Asked): boolean {
  if (one === other) return true;
  return one.version === other.version && one.artifactExpiresAt?.getTime() === other.artifactExpiresAt?.getTime();
}

function arrayOf(asked: readonly Asked[], element: (each: Asked) => string | undefined): string {
  return `{${asked.map((each) => element(each) ?? 'NULL').join(',')}}`;
}

const from = `FROM unnest($1::uuid[], $2::uuid[], $3::int[], $4::timestamptz[])
  WITH ORDINALITY AS asked(id, workspace_id, version, file_expires_at, place)`;
const its = 'job.id = asked.id AND job.workspace_id = asked.workspace_id';
/** Compares in milliseconds, because JavaScript dates have no microseconds. */
const changed = `(job.version IS DISTINCT FROM asked.version
  OR date_trunc('milliseconds', job.artifact_expires_at) IS DISTINCT FROM asked.file_expires_at)`;

const changedPlaces = `SELECT asked.place::int ${from} LEFT JOIN job ON ${its} WHERE ${changed}`;
const whole = `SELECT asked.place::int, false AS unchanged, ${jobColumns('job')} ${from} JOIN job ON ${its}`;
/** Returns the columns of a job only if it has changed. */
const changedOnly = `
  SELECT asked.place::int, NOT ${changed} AS unchanged, ${jobColumnsWhere('job', changed)} ${from} JOIN job ON ${its}`;
