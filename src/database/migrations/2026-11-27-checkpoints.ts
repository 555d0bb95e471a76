import { type Migration, sql } from '../migrate/step.ts';

/** What attempts leave to those that follow them. A row is replaced often, on its own page if possible. */
export const checkpoints: Migration = {
  name: '2026-11-27-checkpoints',
  oldestVersion: '0.2.0',
  steps: [
    sql(
      'job_checkpoint',
      `create table "job_checkpoint" ("job_id" uuid not null, "workspace_id" uuid not null, "value" jsonb not null, primary key ("job_id"))`,
      `alter table "job_checkpoint" set (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.05)`,
    ),
  ],
};
