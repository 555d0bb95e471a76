import type { Database } from '../../database/database.ts';
import { Batches } from '../batches.ts';
import type { Job } from '../model/job.ts';
import { type JobRow, jobColumns, jobColumnsWhere, jobFromRow } from '../model/rows.ts';

/** What tells a job as somebody has it from what it may be by now. */
export type KnownJob = Pick<Job, 'id' | 'workspaceId' | 'version' | 'artifactExpiresAt'>;

/** A job that is asked for: whatever it is, or what it is if not this any more. */
type Asked = Pick<Job, 'id' | 'workspaceId'> & Partial<KnownJob>;

/** A job as it is, null for none, or that it is as it was known. */
export type Found = Job | 'unchanged' | null;

/**
 * Reads single jobs for everyone who asks. Reads that come while others are under way share the next statement; none
 * joins one that has begun, so whoever asks after a commit sees it.
 */
export class JobReads {
  readonly #database: Database;
  readonly #batches: Batches<readonly Asked[], Found[]>;

  /** What was asked for so far, and the statements that answered it: far fewer where many are in flight together. */
  readonly counted = { reads: 0, statements: 0 };

  constructor(database: Database) {
    this.#database = database;
    // Two statements at once keep Postgres busy, and are few enough that reads gather behind them.
    this.#batches = new Batches((groups) => this.#readGroups(groups), { lanes: 2, size: 500, turns: 10 });
  }

  /**
   * Null for another workspace's job as for one that does not exist.
   *
   * @param id must be a UUID
   */
  async find(workspaceId: string, id: string): Promise<Job | null> {
    const [found = null] = await this.#ask([{ workspaceId, id }]);
    if (found === 'unchanged') throw new Error('a job came without its columns');
    return found;
  }

  /** What became of jobs that somebody has, in their order: hardly anything is read of those that are as they were. */
  findChanged(known: readonly KnownJob[]): Promise<Found[]> {
    return this.#ask(known);
  }

  #ask(asked: readonly Asked[]): Promise<Found[]> {
    this.counted.reads += asked.length;
    return this.#batches.add(asked);
  }

  async #readGroups(groups: readonly (readonly Asked[])[]): Promise<Found[][]> {
    const found = await this.#read(groups.flat());
    let end = 0;
    return groups.map(({ length }) => found.slice(end, (end += length)));
  }

  async #read(asked: readonly Asked[]): Promise<Found[]> {
    const wanted = new Map<string, Asked>();
    const keys = asked.map((each) => {
      const key = `${each.workspaceId} ${each.id}`;
      const other = wanted.get(key);
      if (other === undefined) wanted.set(key, each);
      // Who has another version needs the row, and it serves both.
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
    // Most polls find what they know: nothing of a job has to be read then.
    const changed = byPlace(await this.#query(changedPlaces, asked));
    if (changed.size === 0) return asked.map(() => 'unchanged');
    const others = asked.filter((_each, index) => changed.has(index));
    const rows = byPlace(await this.#query<JobRow & { unchanged: boolean }>(whole, others));
    const found = others.map((_each, index) => foundIn(rows.get(index)));
    return asked.map((_each, index) => (changed.has(index) ? (found.shift() ?? null) : 'unchanged'));
  }

  #query<Row>(statement: string, asked: readonly Asked[]): Promise<(Row & Placed)[]> {
    this.counted.statements += 1;
    // Arrays written out here: `pg` would look for something to escape in each of their elements.
    const parameters = [
      arrayOf(asked, ({ id }) => id),
      arrayOf(asked, ({ workspaceId }) => workspaceId),
      arrayOf(asked, ({ version }) => version?.toString()),
      arrayOf(asked, ({ artifactExpiresAt }) => artifactExpiresAt?.toISOString()),
    ];
    return this.#database.query<Row & Placed>(statement, parameters, 'prepared');
  }
}

/** A row that answers what was asked for at a place, from 1 on. */
interface Placed {
  place: number;
}

/** By the index, from 0 on, of what they answer. */
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
  return one.version === other.version && one.artifactExpiresAt?.getTime() === other.artifactExpiresAt?.getTime();
}

function arrayOf(asked: readonly Asked[], element: (each: Asked) => string | undefined): string {
  return `{${asked.map((each) => element(each) ?? 'NULL').join(',')}}`;
}

const from = `FROM unnest($1::uuid[], $2::uuid[], $3::int[], $4::timestamptz[])
  WITH ORDINALITY AS asked(id, workspace_id, version, file_expires_at, place)`;
const its = 'job.id = asked.id AND job.workspace_id = asked.workspace_id';
/** What is known of a file has no microseconds. */
const changed = `(job.version IS DISTINCT FROM asked.version
  OR date_trunc('milliseconds', job.artifact_expires_at) IS DISTINCT FROM asked.file_expires_at)`;

const changedPlaces = `SELECT asked.place::int ${from} LEFT JOIN job ON ${its} WHERE ${changed}`;
const whole = `SELECT asked.place::int, false AS unchanged, ${jobColumns('job')} ${from} JOIN job ON ${its}`;
/** Columns of a job only where it has changed. */
const changedOnly = `
  SELECT asked.place::int, NOT ${changed} AS unchanged, ${jobColumnsWhere('job', changed)} ${from} JOIN job ON ${its}`;
