import { type Migration, sql } from '../migrate/step.ts';

/** What workers write down about their jobs. The counters are updated with each call, on their own page if possible. */
export const logs: Migration = {
  name: '2026-11-27-logs',
  oldestVersion: '0.2.0',
  steps: [
    sql(
      'job_log',
      `create table "job_log" (
        "job_id" uuid not null,
        "sequence" int not null,
        "attempt" int not null,
        "level" smallint not null,
        "at" timestamptz not null,
        "message" text not null,
        "fields" jsonb null,
        primary key ("job_id", "sequence"))`,
    ),
    sql(
      'job_log_counter',
      `create table "job_log_counter" (
        "job_id" uuid not null,
        "workspace_id" uuid not null,
        "last" int not null default 0,
        "trimmed" int not null default 0,
        primary key ("job_id"))`,
      `alter table "job_log_counter" set (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.05)`,
    ),
  ],
};
