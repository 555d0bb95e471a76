import { concurrently, type Migration, sql } from '../migrate/step.ts';

/** When keys were last used, and lists of a workspace's deliveries. */
export const seeing: Migration = {
  name: '2026-11-27-seeing',
  oldestVersion: '0.2.0',
  steps: [
    sql('api_key.last_used_at', 'alter table "api_key" add column "last_used_at" timestamptz null'),
    concurrently('webhook_delivery_workspace_index', `"webhook_delivery" ("workspace_id", "id")`),
    concurrently('webhook_delivery_undelivered_index', `"webhook_delivery" ("workspace_id", "id") where status <> 'DELIVERED'`),
  ],
};
