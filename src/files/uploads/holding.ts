/** How long after the end of the last job that names it an upload is kept, for a retry. */
export const retryHours = 24;

/** SQL for whether a job that names an upload has not ended, or may still be retried. */
export const sqlIsNamed = `EXISTS (
  SELECT FROM job_upload JOIN job ON job.id = job_upload.job_id
  WHERE job_upload.upload_id = upload.id AND (job.finished_at IS NULL OR job.finished_at > now() - interval '${retryHours} hours'))`;

/**
 * SQL for when an upload expires, at the earliest. A job that names it holds it, and so does the attempt whose result it is, whatever
 * `expires_at` says: that is when the sweep looks at it next, and falls behind when a job ends or is created.
 */
export function sqlExpiry(upload: string): string {
  return `greatest(${upload}.expires_at,
    (SELECT max(coalesce(job.finished_at, now())) + interval '${retryHours} hours'
     FROM job_upload JOIN job ON job.id = job_upload.job_id WHERE job_upload.upload_id = ${upload}.id),
    (SELECT lease.deadline_at FROM lease WHERE lease.job_id = ${upload}.job_id AND lease.token = ${upload}.lease_token))`;
}

/** SQL for uploads that the sweep has to look at. Those of an attempt end with it, and not by their age. */
export const sqlIsDue = 'upload.expires_at <= now() AND upload.job_id IS NULL';
