import { concurrently, type Migration, sql } from '../migrate/step.ts';

/** Schedules, and the jobs that each of them created. */
export const schedules: Migration = {
  name: '2026-11-27-schedules',
  oldestVersion: '0.2.0',
  steps: [
    sql('job.schedule_id', `alter table "job" add column "schedule_id" uuid null`),
    concurrently('job_schedule_index', `"job" ("schedule_id", "id") where schedule_id IS NOT NULL`),
    sql(
      'schedule',
      `create table "schedule" (
        "id" uuid not null,
        "workspace_id" uuid not null,
        "name" text not null,
        "cron" text not null,
        "time_zone" text not null,
        "overlap" text not null,
        "paused" boolean not null default false,
        "type" text not null,
        "input" jsonb not null,
        "tags" text[] not null default '{}',
        "priority" int not null default 0,
        "webhook_url" text null,
        "max_attempts" int null,
        "concurrency_key" text null,
        "concurrency_limit" int null,
        "next_run_at" timestamptz null,
        "last_run_at" timestamptz null,
        "last_error_code" text null,
        "last_error_message" text null,
        "refusal_noted_at" timestamptz null,
        primary key ("id"),
        constraint "schedule_name_unique" unique ("workspace_id", "name"))`,
      `alter table "schedule" add constraint "schedule_overlap_check" check ("overlap" in ('ALLOW', 'SKIP'))`,
      `create index "schedule_workspace_index" on "schedule" ("workspace_id", "id")`,
      `create index "schedule_due_index" on "schedule" ("next_run_at") where next_run_at IS NOT NULL`,
      `create index "schedule_workspace_due_index" on "schedule" ("workspace_id", "next_run_at", "id") where next_run_at IS NOT NULL`,
    ),
  ],
};
