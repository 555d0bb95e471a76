import pg from 'pg';
import { onTestFinished } from 'vitest';
import { Database } from '../../src/database/database.ts';
import type { Queryable } from '../../src/database/queryable.ts';
import type { JobUpdate } from '../../src/jobs/feed/changes.ts';
import type { UpdatesRequest, Updates } from '../../src/jobs/feed/updates.ts';
import type { Longhaul } from './longhaul.ts';

/** A running watch. Ends with the test at the latest. */
export interface BegunWatch {
  /** The given number of further updates. */
  take(count: number): Promise<JobUpdate[]>;
  /** The given number of further changes of status, skipping progress. */
  changes(count: number): Promise<JobUpdate[]>;
  leave(): Promise<void>;
}

export async function beginWatch(
  updates: Updates,
  request: Partial<UpdatesRequest> & { workspaceId: string },
): Promise<BegunWatch> {
  const watch = updates.watch({ matches: () => true, after: null, ...request });
  onTestFinished(async () => {
    await watch.return?.();
  });
  await watch.started;
  const collect = async (count: number, wanted: (update: JobUpdate) => boolean) => {
    const all: JobUpdate[] = [];
    while (all.length < count) {
      const { value, done } = await watch.next();
      if (done === true) throw new Error('the watch ended');
      if (wanted(value)) all.push(value);
    }
    return all;
  };
  return {
    take: (count) => collect(count, () => true),
    changes: (count) => collect(count, ({ change }) => change),
    leave: async () => {
      await watch.return?.();
    },
  };
}

/** A transaction on another connection to the database of a Longhaul (servers only). */
interface OpenTransaction {
  /** The same database on this connection. Its statements commit with the transaction. */
  database: Database;
  commit(): Promise<void>;
}

/** Begins a transaction and assigns its transaction id. Rolled back after the test unless committed. */
export async function openTransaction(longhaul: Longhaul): Promise<OpenTransaction> {
  const client = new pg.Client({ connectionString: longhaul.shared['DATABASE_URL'] });
  await client.connect();
  onTestFinished(() => client.end());
  await client.query('BEGIN');
  await client.query('SELECT pg_current_xact_id()');
  return {
    database: new ClientDatabase(longhaul.services.database, client),
    commit: async () => {
      await client.query('COMMIT');
    },
  };
}

class ClientDatabase extends Database {
  override readonly hot: Queryable;
  override readonly reads: Queryable;

  constructor({ orm }: Database, client: pg.Client) {
    super(orm, {});
    this.hot = {
      query: async (sql, parameters = []) => {
        const { rows } = await client.query(sql, [...parameters]);
        return rows;
      },
    };
    this.reads = this.hot;
  }
}
