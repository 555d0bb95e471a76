import { columnsOf, type Row, type Shown } from '../../database/columns.ts';
import { binder, type Window, windowOrder, withinWindow } from '../../database/keyset.ts';
import type { Queryable } from '../../database/queryable.ts';
import { sqlDefaultWorkspace } from '../../workspaces/default-workspace.ts';
import { WorkerEntity } from './entities.ts';
import { sqlAlive } from './workforce.ts';

/** A process that claims jobs. */
export type Worker = Shown<typeof WorkerEntity> & {
  types: string[];
  /** Whether it has claimed, reported or waited for work within the last minute. */
  alive: boolean;
  /** Its place in the list, seen last first, in the form of an id. */
  place: string;
};

type WorkerRow = Row<typeof WorkerEntity> & Pick<Worker, 'types' | 'alive' | 'place'>;

const columns = columnsOf(WorkerEntity, {});

/** The millisecond, as at the begin of a UUIDv7, and then what tells apart those of the same one. */
const place = `(lpad(to_hex((extract(epoch FROM worker.last_seen_at) * 1000)::bigint), 12, '0') || right(replace(worker.id::text, '-', ''), 20))::uuid`;

const all = `
  SELECT ${columns.select('worker')}, ${sqlAlive} AS alive, ${place} AS place,
    ARRAY(SELECT jsonb_object_keys(worker.types) ORDER BY 1) AS types
  FROM worker WHERE worker.workspace_id = $1`;

function fromRow({ types, alive, place: at, ...row }: WorkerRow): Worker {
  return { ...columns.read(row), types, alive, place: at };
}

/** The workers that claim with a key of this workspace, in order of their places. @param alive null for all */
export async function listWorkers(database: Queryable, workspaceId: string, alive: boolean | null, window: Window): Promise<Worker[]> {
  const parameters: unknown[] = [workspaceId];
  const bind = binder(parameters);
  const conditions = [...(alive === null ? [] : [`alive = ${bind(alive)}`]), ...withinWindow('place', window, bind)];
  const where = conditions.length === 0 ? '' : `WHERE ${conditions.join(' AND ')}`;
  const rows = await database.query<WorkerRow>(`SELECT * FROM (${all}) AS worker ${where} ${windowOrder('place', window, bind)}`, parameters);
  return rows.map(fromRow);
}

/** Returns null if the worker does not exist or claims with a key of another workspace. */
export async function findWorkerById(database: Queryable, workspaceId: string, id: string): Promise<Worker | null> {
  const [row] = await database.query<WorkerRow>(`${all} AND worker.id = $2`, [workspaceId, id]);
  return row === undefined ? null : fromRow(row);
}

/** How many jobs each of these workers of a workspace holds, by name. Reads the leases, of which there is one for each job that runs. */
export async function countHeld(database: Queryable, workspaceId: string, names: readonly string[]): Promise<Map<string, number>> {
  const rows = await database.query<{ name: string; jobs: number }>(
    `SELECT lease.worker_id AS name, count(*)::int AS jobs
     FROM lease LEFT JOIN api_key ON api_key.id = lease.api_key_id
     WHERE lease.worker_id = ANY ($2::text[]) AND lease.expires_at > now()
       AND coalesce(api_key.workspace_id, ${sqlDefaultWorkspace}) = $1
     GROUP BY 1`,
    [workspaceId, names],
  );
  return new Map(rows.map(({ name, jobs }) => [name, jobs]));
}

/** Removes those that have been silent for a week. */
export async function forgetSilentWorkers(database: Queryable): Promise<void> {
  await database.query(`DELETE FROM worker WHERE last_seen_at < now() - interval '7 days'`);
}
