import { createHash } from 'node:crypto';
import { columnsOf, type Row, type Shown } from '../../database/columns.ts';
import type { Queryable } from '../../database/queryable.ts';
import { UploadEntity } from './entities.ts';
import { sqlExpiry } from './holding.ts';

/** A file on its way in. It expires when no job holds it any more. */
export type Upload = Shown<typeof UploadEntity>;

type UploadRow = Row<typeof UploadEntity>;

const columns = columnsOf(UploadEntity, {});
const stored = columns.only(columns.properties.difference(new Set(['expiresAt'])));

/** The columns of an upload, and the upload that they make. */
export const uploadColumns = (of: string): string => `${stored.select(of)}, ${sqlExpiry(of)} AS expires_at`;
export const uploadFromRow: (row: UploadRow) => Upload = columns.read;
export type { UploadRow };

/** An access token's uploads are its key's and its first tag's own. */
export interface Uploader {
  apiKeyId: string;
  tag: string;
}

/** What stands for an uploader in the row. */
export function uploaderName({ apiKeyId, tag }: Uploader): string {
  return createHash('sha256').update(JSON.stringify([apiKeyId, tag])).digest('hex');
}

/** Whether an access token has made it, of those that share their uploads. */
export function isUploadedBy({ uploader }: Pick<Upload, 'uploader'>, owner: Uploader): boolean {
  return uploader === uploaderName(owner);
}

/** Whether all of it was received. */
export function isComplete({ sha256 }: Pick<Upload, 'sha256'>): boolean {
  return sha256 !== null;
}

/** Null if there is none, or it belongs to another workspace. */
export async function findUpload(database: Queryable, workspaceId: string, id: string): Promise<Upload | null> {
  const [row] = await database.query<UploadRow>(
    `SELECT ${uploadColumns('upload')} FROM upload WHERE upload.workspace_id = $1 AND upload.id = $2`,
    [workspaceId, id],
  );
  return row === undefined ? null : uploadFromRow(row);
}
