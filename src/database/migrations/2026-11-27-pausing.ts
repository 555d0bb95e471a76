import { concurrently, type Migration, sql } from '../migrate/step.ts';

/** Workspaces and job types that wait, and slots that end with their attempts because a limit was lowered. */
export const pausing: Migration = {
  name: '2026-11-27-pausing',
  oldestVersion: '0.2.0',
  steps: [
    sql('workspace.paused', `alter table "workspace" add column "paused" boolean not null default false`),
    concurrently('workspace_paused_index', `"workspace" ("id") where paused`),
    sql('paused_job_type', `create table "paused_job_type" ("name" text not null, primary key ("name"))`),
    sql('slot.excess', `alter table "slot" add column "excess" boolean not null default false`),
  ],
};
