import { type Migration, sql } from '../migrate/step.ts';

/** What was done with keys, apart from the daily work with jobs. */
export const audit: Migration = {
  name: '2026-11-27-audit',
  oldestVersion: '0.2.0',
  steps: [
    sql(
      'audit_entry',
      `create table "audit_entry" (
        "id" uuid not null,
        "workspace_id" uuid not null,
        "action" text not null,
        "actor" text null,
        "target_type" text null,
        "target_id" uuid null,
        "outcome" text not null,
        "ip_address" text null,
        "details" jsonb not null default '{}',
        primary key ("id"))`,
      `create index "audit_entry_workspace_index" on "audit_entry" ("workspace_id", "id")`,
      `create index "audit_entry_action_index" on "audit_entry" ("workspace_id", "action", "id")`,
    ),
  ],
};
