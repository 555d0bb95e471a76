import type { Database } from '../../database/database.ts';
import { newId } from '../../database/ids.ts';
import { QuotaExceededError, StorageFullError } from '../../errors.ts';
import { parseInput } from '../../input.ts';
import { normalType, unknownMediaType } from '../media-type.ts';
import type { Room } from '../room.ts';
import { lockQuota, sqlRoomLeft } from './quota.ts';
import { type Upload, uploadColumns, type UploadRow, uploadFromRow, type Uploader, uploaderName } from './upload.ts';
import { type UploadRequest, uploadRequest } from './upload-request.ts';

/** How long an upload is kept that nobody writes to or takes. */
export const uploadHours = 24;

/** For whom a file is. */
export interface UploadOrigin {
  workspaceId: string;
  /** The access token that asks; null for a key. */
  uploader: Uploader | null;
  /** The attempt whose result it will be; null for the input of a job. */
  attempt: { jobId: string; leaseToken: string } | null;
}

interface Parts {
  database: Database;
  room: Room;
  maxBytes: number;
  quotaBytes: number;
}

/**
 * Makes room for a file that is to come. Its size counts in the quota from now on, where it is known.
 *
 * @throws ValidationError, QuotaExceededError, StorageFullError
 */
export async function createUpload({ database, room, maxBytes, quotaBytes }: Parts, origin: UploadOrigin, asked: UploadRequest): Promise<Upload> {
  const { filename, mediaType, bytes = null, sha256 } = parseInput(uploadRequest({ maxBytes }), asked);
  if (room.isFull || (bytes ?? 0) > room.freeBytes) throw new StorageFullError();
  const { workspaceId, uploader, attempt } = origin;
  const [row] = await database.transaction(async (transaction) => {
    await lockQuota(transaction, workspaceId);
    return transaction.query<UploadRow>(
      `INSERT INTO upload (id, workspace_id, uploader, job_id, lease_token, filename, media_type, announced_bytes, announced_sha256, reserved_bytes, expires_at)
       SELECT $1::uuid, $2::uuid, $3::text, $4::uuid, $5::uuid, $6::text, $7::text, $8::bigint, $9::text, coalesce($8::bigint, 0), now() + interval '${uploadHours} hours'
       WHERE ${sqlRoomLeft('$2', '$10')} >= coalesce($8::bigint, 1)
       RETURNING ${uploadColumns('upload')}`,
      [
        newId(), workspaceId, uploader && uploaderName(uploader), attempt?.jobId ?? null, attempt?.leaseToken ?? null,
        filename, normalType(mediaType ?? '') ?? unknownMediaType, bytes, sha256?.toLowerCase() ?? null, quotaBytes,
      ],
    );
  });
  if (row === undefined) throw new QuotaExceededError(quotaBytes);
  return uploadFromRow(row);
}
