import { validate as isUuid } from 'uuid';
import type { Queryable } from '../database/queryable.ts';

/** A file that can be downloaded. */
export interface Downloadable {
  id: string;
  workspaceId: string;
  filename: string;
  mediaType: string;
  /** Null for an upload, which goes with the job that it is for. */
  expiresAt: Date | null;
}

const statement = `
  SELECT workspace_id, filename, media_type, expires_at FROM artifact WHERE artifact.id = $1
  UNION ALL
  SELECT workspace_id, filename, media_type, NULL FROM upload WHERE upload.id = $1 AND upload.sha256 IS NOT NULL`;

interface FileRow {
  workspace_id: string;
  filename: string;
  media_type: string;
  expires_at: string | null;
}

/**
 * Finds a result of a job or an upload by id alone: the caller holds its signed URL, which only the job's own workspace and its worker
 * were given.
 */
export async function findDownloadable(database: Queryable, id: string): Promise<Downloadable | null> {
  if (!isUuid(id)) return null;
  const [row] = await database.query<FileRow>(statement, [id]);
  if (row === undefined) return null;
  const { workspace_id: workspaceId, filename, media_type: mediaType, expires_at: expiresAt } = row;
  return { id, workspaceId, filename, mediaType, expiresAt: expiresAt === null ? null : new Date(expiresAt) };
}
