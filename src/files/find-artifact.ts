import { validate as isUuid } from 'uuid';
import type { Queryable } from '../database/queryable.ts';
import type { DownloadableArtifact } from './serving.ts';

/** Finds a file by id alone: the caller holds its signed URL, which only the job's own workspace was given. */
export async function findArtifact(database: Queryable, id: string): Promise<DownloadableArtifact | null> {
  if (!isUuid(id)) return null;
  const [row] = await database.query<{
    id: string;
    workspace_id: string;
    filename: string;
    media_type: string;
    bytes: number;
    expires_at: string;
  }>(
    'SELECT id, workspace_id, filename, media_type, bytes::float8 AS bytes, expires_at FROM artifact WHERE id = $1',
    [id],
  );
  if (row === undefined) return null;
  return {
    id: row.id,
    workspaceId: row.workspace_id,
    filename: row.filename,
    mediaType: row.media_type,
    bytes: row.bytes,
    expiresAt: new Date(row.expires_at),
  };
}
