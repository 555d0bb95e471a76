import type { Queryable } from '../../database/queryable.ts';
import { sqlIs } from '../model/state-machine.ts';

/** Files of a workspace that nothing names at this moment. */
export interface UnnamedFiles {
  ids: string[];
  /** The tokens of the workspace's leases: their attempts may yet name one. */
  leases: Set<string>;
}

const noRow = `NOT EXISTS (SELECT FROM artifact WHERE artifact.id = file.id)
  AND NOT EXISTS (SELECT FROM upload WHERE upload.id = file.id)`;

/*
 * A built-in handler that goes on with what an attempt before it has kept names the file in its checkpoint, as `file`: its own text
 * is compared, because a worker of anybody's may have written it.
 */
const noCheckpoint = `NOT EXISTS (
  SELECT FROM job_checkpoint AS kept JOIN job ON job.id = kept.job_id
  WHERE kept.workspace_id = $1 AND kept.value->>'file' = file.id::text AND NOT (${sqlIs.final}))`;

/**
 * Those of these files that nothing names. One statement reads all that may name a file, and the leases: a completion records its
 * file and deletes its lease in one statement too, so that nobody sees one without the other.
 */
export async function findUnnamedFiles(database: Queryable, workspaceId: string, ids: readonly string[]): Promise<UnnamedFiles> {
  // Nearly all have a row, and the rest costs more.
  const candidates = await database.query<{ id: string }>(`SELECT file.id FROM unnest($1::uuid[]) AS file(id) WHERE ${noRow}`, [ids]);
  if (candidates.length === 0) return { ids: [], leases: new Set() };
  const [row] = await database.query<{ ids: string[]; leases: string[] }>(
    `SELECT
       ARRAY(SELECT file.id FROM unnest($2::uuid[]) AS file(id) WHERE ${noRow} AND ${noCheckpoint})::text[] AS ids,
       ARRAY(SELECT lease.token FROM lease WHERE lease.workspace_id = $1)::text[] AS leases`,
    [workspaceId, candidates.map(({ id }) => id)],
  );
  return { ids: row?.ids ?? [], leases: new Set(row?.leases) };
}
