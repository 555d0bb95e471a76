import type { Queryable } from '../../database/queryable.ts';
import { type Upload, uploadColumns, uploadFromRow, type UploadRow } from './upload.ts';

/** Uploads that somebody says are results of an attempt. */
export interface AttemptUploads {
  jobId: string;
  /** The secret of its lease. */
  leaseToken: string;
  /** The workspace that it must be of; null for any. */
  scope: string | null;
  ids: readonly string[];
}

const statement = `
  SELECT asked.ordinal, ${uploadColumns('upload')}
  FROM jsonb_to_recordset($1::jsonb) AS asked(ordinal int, job_id uuid, token uuid, scope uuid, ids uuid[])
  CROSS JOIN LATERAL unnest(asked.ids) AS named(id)
  -- The limit keeps this from being a join, for which all uploads might be read.
  CROSS JOIN LATERAL (
    SELECT * FROM upload WHERE upload.id = named.id AND upload.job_id = asked.job_id AND upload.lease_token = asked.token
      AND (asked.scope IS NULL OR upload.workspace_id = asked.scope) LIMIT 1
  ) AS upload`;

/** Finds those that are, complete or not, in no order. */
export async function findAttemptUploads(database: Queryable, asked: readonly AttemptUploads[]): Promise<Upload[][]> {
  const wanted = asked.map(({ jobId, leaseToken, scope, ids }, ordinal) => ({ ordinal, job_id: jobId, token: leaseToken, scope, ids }));
  const rows = await database.query<UploadRow & { ordinal: number }>(statement, [JSON.stringify(wanted)]);
  return asked.map((_each, ordinal) => rows.filter((row) => row.ordinal === ordinal).map(uploadFromRow));
}
