import { concurrently, type Migration } from '../migrate/step.ts';

/** Lists of the jobs to which the submitter gave one reference. */
export const clientReference: Migration = {
  name: '2026-11-27-client-reference',
  oldestVersion: '0.2.0',
  steps: [
    concurrently('job_reference_index', `"job" ("workspace_id", left(client_reference, 255), "id") where client_reference IS NOT NULL`),
  ],
};
