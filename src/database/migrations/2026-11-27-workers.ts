import { type Migration, sql } from '../migrate/step.ts';

/** The processes that claim jobs. Each row is written every few seconds, on its own page if possible. */
export const workers: Migration = {
  name: '2026-11-27-workers',
  oldestVersion: '0.2.0',
  steps: [
    sql(
      'worker',
      `create table "worker" (
        "id" uuid not null,
        "workspace_id" uuid not null,
        "name" text not null,
        "everywhere" boolean not null,
        "types" jsonb not null default '{}',
        "first_seen_at" timestamptz not null default now(),
        "last_seen_at" timestamptz not null default now(),
        primary key ("id"),
        constraint "worker_name_unique" unique ("workspace_id", "name"))`,
      `alter table "worker" set (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.05)`,
    ),
  ],
};
