import type { Queryable } from '../../database/queryable.ts';
import type { FieldIssue } from '../../errors.ts';
import { uploadNamed } from '../../files/uploads/reference.ts';
import { uploaderName } from '../../files/uploads/upload.ts';
import type { JsonObject } from '../../json.ts';
import type { JobType } from '../types/job-type.ts';
import { uploadSourcesOf } from '../types/sources.ts';
import type { NamedUpload, NewJob } from './new-job.ts';

/** The uploads that an input names, and what is wrong with how it does. Paths begin with `input`. */
export function namedUploads({ inputSchema }: JobType, input: JsonObject): { uploads: NamedUpload[]; issues: FieldIssue[] } {
  const named = uploadSourcesOf(inputSchema, input).map(({ path, text }) => ({ id: uploadNamed(text), reference: text, path: ['input', ...path] }));
  const uploads = named.flatMap(({ id, ...rest }) => (id === null ? [] : [{ id, ...rest }]));
  const issues = named.flatMap(({ id, path }) => (id === null ? [{ path, message: 'expected upload:ID with the id of an upload' }] : []));
  return { uploads, issues };
}

/**
 * Keeps the uploads that new jobs name until the transaction ends: the sweep waits, and then finds them named. Call it first in the
 * transaction that inserts the jobs.
 *
 * @returns what is wrong, by the ids of the jobs. These must not be inserted.
 */
export async function lockUploads(transaction: Queryable, workspaceId: string, jobs: readonly NewJob[]): Promise<Map<string, FieldIssue[]>> {
  const wanted = jobs.flatMap(({ uploads }) => uploads.map(({ id }) => id));
  if (wanted.length === 0) return new Map();
  const rows = await transaction.query<{ id: string; uploader: string | null; complete: boolean }>(
    `SELECT upload.id, upload.uploader, upload.sha256 IS NOT NULL AS complete FROM upload
     WHERE upload.workspace_id = $1 AND upload.id = ANY ($2::uuid[]) AND upload.job_id IS NULL
     ORDER BY upload.id FOR KEY SHARE`,
    [workspaceId, [...new Set(wanted)]],
  );
  const found = new Map(rows.map((row) => [row.id, row]));
  const issues = new Map<string, FieldIssue[]>();
  for (const { id: jobId, uploads, origin } of jobs) {
    const owner = ownerOf(origin);
    const theirs = uploads.flatMap(({ id, path }): FieldIssue[] => {
      const upload = found.get(id);
      if (upload === undefined || (owner !== null && upload.uploader !== owner)) {
        return [{ path, message: 'names no upload that is there. It may have expired: upload the file again' }];
      }
      return upload.complete ? [] : [{ path, message: 'names an upload that is not complete. Send all of the file first' }];
    });
    if (theirs.length > 0) issues.set(jobId, theirs);
  }
  return issues;
}

/** Writes down which uploads new jobs name, in the transaction that inserts these. */
export async function insertNamedUploads(transaction: Queryable, workspaceId: string, jobs: readonly NewJob[]): Promise<void> {
  const rows = jobs.flatMap(({ id, uploads }) =>
    uploads.map((upload, ordinal) => ({ job_id: id, ordinal, upload_id: upload.id, reference: upload.reference })),
  );
  if (rows.length === 0) return;
  await transaction.query(
    `INSERT INTO job_upload (job_id, ordinal, workspace_id, upload_id, reference)
     SELECT job_id, ordinal, $1::uuid, upload_id, reference
     FROM jsonb_to_recordset($2::jsonb) AS named(job_id uuid, ordinal int, upload_id uuid, reference text)`,
    [workspaceId, JSON.stringify(rows)],
  );
}

/** Whose uploads the job may name; null for those of the whole workspace. What a retry repeats is the job's own. */
function ownerOf({ submitter = null, retryOfId = null }: NewJob['origin']): string | null {
  return submitter === null || retryOfId !== null ? null : uploaderName(submitter);
}
