import type { Database } from '../../database/database.ts';
import type { Queryable } from '../../database/queryable.ts';
import { StoreUnavailableError } from '../stores/errors.ts';
import type { FileId, Store } from '../stores/store.ts';
import { retryHours, sqlIsDue, sqlIsNamed } from './holding.ts';
import { goneErrors, TransferError } from './transfer-errors.ts';
import type { Upload } from './upload.ts';
import { noteNothingKept, type WriterRef } from './writer-rows.ts';

/*
 * Rows are deleted first, and only the files of rows that were deleted here are removed: a completion may take the upload at the
 * same moment, and then the file is a job's. If the process dies in between, OrphanedFiles removes the file.
 */

/** Rows that one transaction of the sweep looks at. */
const batch = 100;

interface Parts {
  database: Database;
  store: Store;
}

interface RemovedRow {
  id: string;
  workspace_id: string;
  writer: string | null;
  sha256: string | null;
}

const returned = 'RETURNING upload.id, upload.workspace_id, upload.writer, upload.sha256';

/** The attempt whose result it is has ended, and has not taken it. */
const sqlIsLeft = `upload.job_id IS NOT NULL AND NOT EXISTS (SELECT FROM lease WHERE lease.job_id = upload.job_id AND lease.token = upload.lease_token)`;

const expired = `SELECT upload.id FROM upload WHERE ${sqlIsDue} ORDER BY upload.expires_at LIMIT ${batch} FOR UPDATE SKIP LOCKED`;
const left = `SELECT upload.id FROM upload WHERE ${sqlIsLeft} ORDER BY upload.id LIMIT ${batch} FOR UPDATE SKIP LOCKED`;

/** Locked before, so that a creation that names one of them has committed by now or waits. */
const remove = `DELETE FROM upload WHERE upload.id = ANY ($1::uuid[]) AND NOT ${sqlIsNamed} ${returned}`;

/** What is named is looked at again later. */
const postpone = `
  UPDATE upload SET expires_at = coalesce(
    (SELECT CASE WHEN bool_or(job.finished_at IS NULL) THEN now() + interval '1 hour' ELSE max(job.finished_at) + interval '${retryHours} hours' END
     FROM job_upload JOIN job ON job.id = job_upload.job_id WHERE job_upload.upload_id = upload.id),
    now() + interval '1 hour')
  WHERE upload.id = ANY ($1::uuid[])`;

/** Removes uploads that have expired, and those of attempts that have ended. Processes may run it concurrently. */
export async function sweepUploads(parts: Parts): Promise<void> {
  for (const find of [expired, left]) while ((await sweepBatch(parts, find)) === batch);
}

async function sweepBatch({ database, store }: Parts, find: string): Promise<number> {
  const { found, removed } = await database.transaction(async (transaction) => {
    const ids = (await transaction.query<{ id: string }>(find)).map(({ id }) => id);
    const rows = ids.length === 0 ? [] : await transaction.query<RemovedRow>(remove, [ids]);
    const gone = new Set(rows.map(({ id }) => id));
    const named = ids.filter((id) => !gone.has(id));
    if (named.length > 0) await transaction.query(postpone, [named]);
    return { found: ids.length, removed: rows };
  });
  await removeFiles(store, removed);
  return found;
}

/**
 * Removes an upload because its sender does not want it any more.
 *
 * @returns who is writing it, and has to stop; null if nobody is
 * @throws TransferError: NOT_FOUND; IN_USE if the input of a job names it
 */
export async function terminate({ database, store }: Parts, id: string): Promise<WriterRef | null> {
  const removed = await database.transaction(async (transaction) => {
    const [found] = await transaction.query('SELECT 1 FROM upload WHERE upload.id = $1 FOR UPDATE', [id]);
    if (found === undefined) throw goneErrors.NOT_FOUND();
    return transaction.query<RemovedRow>(remove, [[id]]);
  });
  const [row] = removed;
  if (row === undefined) throw new TransferError('IN_USE', 'A job names this upload in its input. It is removed when no job needs it any more.');
  await removeFiles(store, removed);
  return row.writer === null ? null : { id, writer: row.writer };
}

/** Removes an upload whose attempt has ended. */
export async function removeLeft({ database, store }: Parts, id: string): Promise<void> {
  const lost = `lease.job_id = upload.job_id AND lease.token = upload.lease_token AND lease.expires_at > now()`;
  const rows = await database.hot.query<RemovedRow>(
    `DELETE FROM upload WHERE upload.id = $1 AND upload.job_id IS NOT NULL AND NOT EXISTS (SELECT FROM lease WHERE ${lost}) ${returned}`,
    [id],
  );
  await removeFiles(store, rows);
}

/** Removes an upload that its writer has found wrong. */
export async function removeOwn({ database, store }: Parts, { id, writer }: WriterRef, upload: Upload): Promise<void> {
  const rows = await database.hot.query(`DELETE FROM upload WHERE upload.id = $1 AND upload.writer = $2 RETURNING 1`, [id, writer]);
  if (rows.length > 0) await removeFile(store, upload, null);
}

/** Removes what was received of an upload, as its writer. It may be sent anew. */
export async function removeReceived({ database, store }: Parts, ref: WriterRef, upload: Upload): Promise<void> {
  if (await noteNothingKept(database, ref)) await removeFile(store, upload, undefined);
}

async function removeFiles(store: Store, rows: readonly RemovedRow[]): Promise<void> {
  await Promise.all(rows.map((row) => removeFile(store, { workspaceId: row.workspace_id, id: row.id }, keptIn(row))));
}

/** While the store does not answer, the file is left to OrphanedFiles. */
async function removeFile(store: Store, file: FileId, kept: null | undefined): Promise<void> {
  try {
    await store.remove(file, kept);
  } catch (error) {
    if (!(error instanceof StoreUnavailableError)) throw error;
  }
}

/** Null of a complete file; undefined where the store has to look, because the last that it kept may not be in the row. */
function keptIn({ sha256 }: RemovedRow): null | undefined {
  return sha256 === null ? undefined : null;
}

/** How many uploads have expired and are not removed yet: at most 100,000. */
export async function countExpiredUploads(database: Queryable): Promise<number> {
  const [row] = await database.query<{ uploads: number }>(
    `SELECT count(*)::int AS uploads FROM (SELECT FROM upload WHERE ${sqlIsDue} LIMIT 100000) AS expired`,
  );
  return row?.uploads ?? 0;
}
