import type { Queryable } from '../../database/queryable.ts';
import { type Upload, uploadColumns, type UploadRow, uploadFromRow } from '../../files/uploads/upload.ts';
import type { Job } from '../model/job.ts';

/** An upload that the input of a job names, while it is there. */
export interface JobUpload {
  jobId: string;
  /** As it stands in the input: `upload:ID`. */
  reference: string;
  upload: Upload;
  /** When the attempt that runs times out, however often its lease is renewed; null if none runs. */
  deadlineAt: Date | null;
}

/** The uploads that the inputs of these jobs name, in the order in which they stand there. */
export async function listJobUploads(database: Queryable, jobs: readonly Pick<Job, 'id' | 'workspaceId'>[]): Promise<JobUpload[]> {
  const rows = await database.query<UploadRow & { naming_job_id: string; reference: string; deadline_at: string | null }>(
    `SELECT job_upload.job_id AS naming_job_id, job_upload.reference, lease.deadline_at, ${uploadColumns('upload')}
     FROM unnest($1::uuid[], $2::uuid[]) AS named(job_id, workspace_id)
     JOIN job_upload ON job_upload.job_id = named.job_id AND job_upload.workspace_id = named.workspace_id
     JOIN upload ON upload.id = job_upload.upload_id
     LEFT JOIN lease ON lease.job_id = job_upload.job_id
     ORDER BY job_upload.job_id, job_upload.ordinal`,
    [jobs.map(({ id }) => id), jobs.map(({ workspaceId }) => workspaceId)],
  );
  return rows.map((row) => ({
    jobId: row.naming_job_id,
    reference: row.reference,
    upload: uploadFromRow(row),
    deadlineAt: row.deadline_at === null ? null : new Date(row.deadline_at),
  }));
}
