import { concurrently, type Migration, sql } from '../migrate/step.ts';

/** Keys of which only so many jobs run at once. A process of version 0.2.0 starts such a job whatever its key's limit. */
export const concurrencyKeys: Migration = {
  name: '2026-11-27-concurrency-keys',
  oldestVersion: '0.2.0',
  steps: [
    sql(
      'concurrency_key',
      `create table "concurrency_key" (
        "workspace_id" uuid not null,
        "key" text not null,
        "seats" int not null,
        "taken" int not null default 0,
        "unsettled" boolean not null default true,
        primary key ("workspace_id", "key"))`,
      `alter table "concurrency_key" set (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.05)`,
    ),
    sql('job.concurrency_key', `alter table "job" add column "concurrency_key" text null, add column "concurrency_limit" int null`),
    sql('lease.concurrency_key', `alter table "lease" add column "concurrency_key" text null`),
    concurrently('concurrency_key_unsettled_index', `"concurrency_key" ("workspace_id", "key") where unsettled`),
    concurrently(
      'job_concurrency_index',
      `"job" ("workspace_id", "concurrency_key", "ready", "type", "dispatch_at", "id") where status = 'PENDING' AND concurrency_key IS NOT NULL`,
    ),
    concurrently('lease_concurrency_index', `"lease" ("workspace_id", "concurrency_key") where concurrency_key IS NOT NULL`),
  ],
};
