import { type Migration, sql } from '../migrate/step.ts';

/** Which key holds a lease: workers may read the jobs that their key holds. */
export const leaseKey: Migration = {
  name: '2026-11-26-lease-key',
  oldestVersion: null,
  steps: [sql('lease.api_key_id', 'alter table "lease" add column "api_key_id" uuid null')],
};
