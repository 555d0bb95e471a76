import type { Queryable } from '../../database/queryable.ts';

/** A result file whose row is gone. */
interface OrphanedFile {
  id: string;
  workspaceId: string;
}

export type RemoveFile = (file: OrphanedFile) => Promise<void>;

/*
 * One statement for many jobs that have ended and are locked: they go with all that hangs on them. What stays: the ledger, for
 * ever; idempotency keys, for their 24 hours; changes of status, which have no index by job and have still to be counted: see
 * deleted-changes.ts. A job may have 10,000 lines of logs: deleteLogs deletes them before. Here go those of jobs that have
 * ended since.
 */
const statement = `
  WITH gone AS (DELETE FROM job WHERE job.id = ANY ($1::uuid[]) RETURNING job.id, job.workspace_id, job.tags),
  attempts AS (DELETE FROM job_attempt WHERE job_attempt.job_id = ANY ($1::uuid[])),
  checkpoints AS (DELETE FROM job_checkpoint WHERE job_checkpoint.job_id = ANY ($1::uuid[])),
  uploads AS (DELETE FROM job_upload WHERE job_upload.job_id = ANY ($1::uuid[])),
  lines AS (DELETE FROM job_log WHERE job_log.job_id = ANY ($1::uuid[])),
  counters AS (DELETE FROM job_log_counter WHERE job_log_counter.job_id = ANY ($1::uuid[])),
  deliveries AS (DELETE FROM webhook_delivery WHERE webhook_delivery.job_id = ANY ($1::uuid[])),
  tags AS (
    DELETE FROM job_tag USING (SELECT workspace_id, unnest(tags) AS tag, id FROM gone) AS tagged
    WHERE job_tag.workspace_id = tagged.workspace_id AND job_tag.tag = tagged.tag AND job_tag.job_id = tagged.id
  )
  DELETE FROM artifact WHERE artifact.job_id = ANY ($1::uuid[])
  RETURNING artifact.id, artifact.workspace_id AS "workspaceId"`;

/** Deletes jobs that have ended and that the transaction has locked. Returns the files to remove after the commit. */
export function deleteEnded(transaction: Queryable, ids: readonly string[]): Promise<OrphanedFile[]> {
  return ids.length === 0 ? Promise.resolve([]) : transaction.query<OrphanedFile>(statement, [ids]);
}
