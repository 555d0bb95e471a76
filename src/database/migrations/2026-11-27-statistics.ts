import { concurrently, type Migration, sql } from '../migrate/step.ts';

/**
 * Counts and statistics, which a sweep makes from the log of changes. What the log no longer has is counted once, from the jobs
 * that are there: with how far the log is counted in one statement, so that both are of one snapshot.
 */
export const statistics: Migration = {
  name: '2026-11-27-statistics',
  oldestVersion: '0.2.0',
  steps: [
    sql(
      'job_total',
      `create table "job_total" (
        "workspace_id" uuid not null,
        "type" text not null,
        "status" text not null,
        "jobs" bigint not null,
        primary key ("workspace_id", "type", "status"))`,
    ),
    sql(
      'counted_log',
      `create table "counted_log" (
        "workspace_id" uuid not null,
        "snapshot" pg_snapshot not null,
        "counted_at" timestamptz not null default now(),
        "since" timestamptz not null default '-infinity',
        primary key ("workspace_id"))`,
    ),
    sql(
      'job_statistic',
      `create table "job_statistic" (
        "workspace_id" uuid not null,
        "step" text not null,
        "at" timestamptz not null,
        "type" text not null,
        "created" int not null default 0,
        "completed" int not null default 0,
        "failed" int not null default 0,
        "cancelled" int not null default 0,
        "failed_attempts" int not null default 0,
        "waits" int[] not null default '{}',
        "runs" int[] not null default '{}',
        primary key ("workspace_id", "step", "at", "type"))`,
      `alter table "job_statistic" add constraint "job_statistic_step_check" check ("step" in ('MINUTE', 'HOUR', 'DAY'))`,
    ),
    sql(
      'jobs so far',
      `with counted as (
        insert into "counted_log" ("workspace_id", "snapshot") select "id", pg_current_snapshot() from "workspace"
      )
      insert into "job_total" ("workspace_id", "type", "status", "jobs")
      select "workspace_id", "type", "status", count(*) from "job" group by "workspace_id", "type", "status"`,
    ),
    concurrently('job_scheduled_index', `"job" ("workspace_id", "due_at") where status = 'PENDING' AND NOT ready`),
  ],
};
