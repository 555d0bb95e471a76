import type { Database } from '../../database/database.ts';
import type { Kept } from '../stores/store.ts';
import { uploadHours } from './create-upload.ts';
import { sqlExpiry } from './holding.ts';
import { lockQuota, sqlRoomLeft } from './quota.ts';
import { type Upload, uploadColumns, type UploadRow, uploadFromRow } from './upload.ts';

/** How long a writer may be silent before another one goes on without its word, in seconds. See writer.ts. */
const silentSeconds = 5;

/** Whether the attempt whose result it is still holds its lease; true of the input of a job. */
const sqlIsWanted = `(upload.job_id IS NULL OR EXISTS (
  SELECT FROM lease WHERE lease.job_id = upload.job_id AND lease.token = upload.lease_token AND lease.expires_at > now()))`;

const expiry = `now() + interval '${uploadHours} hours'`;

/** An upload, as a request finds it. */
export interface FoundUpload {
  upload: Upload;
  expired: boolean;
  wanted: boolean;
  /** Whether its writer, if it has one, has not been heard of for so long that it writes no more. */
  silent: boolean;
}

type FoundRow = UploadRow & { expired: boolean; wanted: boolean; silent: boolean };

/** Finds an upload by id alone: the caller holds its signed URL. */
export async function findForWriting({ hot }: Database, id: string): Promise<FoundUpload | null> {
  const [row] = await hot.query<FoundRow>(
    `SELECT ${uploadColumns('upload')}, ${sqlExpiry('upload')} <= now() AS expired, ${sqlIsWanted} AS wanted,
       coalesce(upload.written_at < now() - interval '${silentSeconds} seconds', true) AS silent
     FROM upload WHERE upload.id = $1`,
    [id],
  );
  return row === undefined ? null : { upload: uploadFromRow(row), expired: row.expired, wanted: row.wanted, silent: row.silent };
}

/** Makes a writer the only one, if the one before it is still who it was. Null if it is not, or the upload is not there any more. */
export async function claimWriting({ hot }: Database, { id, writer }: Pick<Upload, 'id' | 'writer'>, next: string): Promise<Upload | null> {
  const [row] = await hot.query<UploadRow>(
    `UPDATE upload SET writer = $2, written_at = now()
     WHERE upload.id = $1 AND upload.writer IS NOT DISTINCT FROM $3::uuid AND upload.sha256 IS NULL AND ${sqlExpiry('upload')} > now()
       AND (upload.writer IS NULL OR upload.written_at < now() - interval '${silentSeconds} seconds')
     RETURNING ${uploadColumns('upload')}`,
    [id, next, writer],
  );
  return row === undefined ? null : uploadFromRow(row);
}

/** A writer of an upload. */
export interface WriterRef {
  id: string;
  writer: string;
}

/** A writer is alive. False if it is not the writer any more, or what it writes is not wanted. */
export async function noteAlive({ hot }: Database, { id, writer }: WriterRef): Promise<boolean> {
  const rows = await hot.query(
    `UPDATE upload SET written_at = now() WHERE upload.id = $1 AND upload.writer = $2 AND ${sqlIsWanted} RETURNING 1`,
    [id, writer],
  );
  return rows.length > 0;
}

/** Notes what the store has for certain. False as above. */
export async function noteKept({ hot }: Database, { id, writer }: WriterRef, { bytes, sha256, state }: Kept): Promise<boolean> {
  const rows = await hot.query(
    `UPDATE upload SET received_bytes = $3, hash_state = $4, kept_state = $5::jsonb, written_at = now(), expires_at = ${expiry}
     WHERE upload.id = $1 AND upload.writer = $2 AND ${sqlIsWanted} RETURNING 1`,
    [id, writer, bytes, sha256, JSON.stringify(state)],
  );
  return rows.length > 0;
}

/** What was received does not count: the file is sent from its beginning. False as above. */
export async function noteNothingKept({ hot }: Database, { id, writer }: WriterRef): Promise<boolean> {
  const rows = await hot.query(
    `UPDATE upload SET received_bytes = 0, hash_state = NULL, kept_state = NULL, written_at = now()
     WHERE upload.id = $1 AND upload.writer = $2 RETURNING 1`,
    [id, writer],
  );
  return rows.length > 0;
}

/** Nobody writes it now. What was taken of the quota beyond what is there is given back. */
export async function letGo({ hot }: Database, { id, writer }: WriterRef): Promise<void> {
  await hot.query(
    `UPDATE upload SET writer = NULL, written_at = NULL, reserved_bytes = coalesce(announced_bytes, received_bytes)
     WHERE upload.id = $1 AND upload.writer = $2`,
    [id, writer],
  );
}

/** The size is known. It counts in the quota from now on. False if there is no room for it. */
export async function noteSize(database: Database, { workspaceId, id }: Upload, bytes: number, quotaBytes: number): Promise<boolean> {
  return database.transaction(async (transaction) => {
    await lockQuota(transaction, workspaceId);
    const rows = await transaction.query(
      `UPDATE upload SET announced_bytes = $3::bigint, reserved_bytes = $3::bigint
       WHERE upload.id = $2 AND ${sqlRoomLeft('$1', '$4')} + upload.reserved_bytes >= $3::bigint RETURNING 1`,
      [workspaceId, id, bytes, quotaBytes],
    );
    return rows.length > 0;
  });
}

/** Of what is left of a quota an upload takes no more than this part ahead of need, so that others that need it now find room. */
const partAhead = 16;

/**
 * Takes room for an upload of unknown size: what it needs, if there is so much, and what it will need soon, so that it need not ask for
 * each chunk. What it did not need is given back when its writer lets go. Returns how much it has then.
 */
export async function reserve(database: Database, { workspaceId, id }: Upload, needed: { bytes: number; ahead: number }, quotaBytes: number): Promise<number> {
  return database.transaction(async (transaction) => {
    await lockQuota(transaction, workspaceId);
    const [row] = await transaction.query<{ reserved: number }>(
      `UPDATE upload SET reserved_bytes = CASE
         WHEN room.bytes + upload.reserved_bytes < $3::bigint THEN upload.reserved_bytes
         ELSE greatest(upload.reserved_bytes, $3::bigint + least($5::bigint, (room.bytes + upload.reserved_bytes - $3::bigint) / ${partAhead}))
       END
       FROM (SELECT ${sqlRoomLeft('$1', '$4')} AS bytes) AS room
       WHERE upload.id = $2 RETURNING reserved_bytes AS reserved`,
      [workspaceId, id, needed.bytes, quotaBytes, needed.ahead],
    );
    return row?.reserved ?? 0;
  });
}

/** All of it is there, and its file in the store is whole. Null if it is not the writer's any more. */
export async function noteComplete({ hot }: Database, { id, writer }: WriterRef, { bytes, sha256 }: { bytes: number; sha256: string }): Promise<Upload | null> {
  const [row] = await hot.query<UploadRow>(
    `UPDATE upload SET sha256 = $4, announced_bytes = $3::bigint, received_bytes = $3::bigint, reserved_bytes = $3::bigint, hash_state = NULL, kept_state = NULL,
       writer = NULL, written_at = NULL, expires_at = ${expiry}
     WHERE upload.id = $1 AND upload.writer = $2 AND ${sqlIsWanted} RETURNING ${uploadColumns('upload')}`,
    [id, writer, bytes, sha256],
  );
  return row === undefined ? null : uploadFromRow(row);
}

/** What the store has of an upload for certain; null for nothing. */
export function keptOf({ receivedBytes, hashState, keptState }: Upload): Kept | null {
  return hashState === null ? null : { bytes: receivedBytes, sha256: hashState, state: keptState };
}

