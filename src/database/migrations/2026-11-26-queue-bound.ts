import { check, type Migration, sql } from '../migrate/step.ts';

/**
 * The queue's length, at most, in the row that every creation updates anyway. Of the workspaces that are there nothing is
 * known, so their next creation counts.
 */
export const queueBound: Migration = {
  name: '2026-11-26-queue-bound',
  oldestVersion: null,
  steps: [
    sql(
      'columns',
      `alter table "workspace"
        add column "pending_at_most" int not null default 1000000000,
        add column "pending_allowed" int not null default 1000000000`,
      `alter table "workspace" alter column "pending_at_most" set default 0, alter column "pending_allowed" set default 0`,
    ),
    ...check('workspace', 'workspace_pending_check', 'pending_at_most <= pending_allowed'),
  ],
};
