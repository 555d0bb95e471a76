import { concurrently, type Migration } from '../migrate/step.ts';

/** Lists of jobs by what they failed with, the surface they came through, the worker that had them, and the job they retry. */
export const filters: Migration = {
  name: '2026-11-27-filters',
  oldestVersion: '0.2.0',
  steps: [
    concurrently('job_error_index', `"job" ("workspace_id", "error_code", "id") where error_code IS NOT NULL`),
    concurrently('job_dialect_index', `"job" ("workspace_id", "dialect", "id") where status IN ('COMPLETED', 'FAILED', 'CANCELLED')`),
    concurrently('job_retry_index', `"job" ("retry_of_id", "id") where retry_of_id IS NOT NULL`),
    concurrently('job_attempt_worker_index', `"job_attempt" ("workspace_id", "worker_id", "job_id")`),
  ],
};
