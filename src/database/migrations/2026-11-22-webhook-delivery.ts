import { Migration } from '@mikro-orm/migrations';

/** Adds what deliveries need: the current series of tries, whether it is in the queue, and retired secrets. */
export class WebhookDelivery extends Migration {
  override up(): void {
    for (const statement of statements) this.addSql(statement);
  }
}

const statements = [
  `alter table "webhook_delivery" add column "series_id" uuid null, add column "relayed" boolean not null default false`,
  `update "webhook_delivery" set "series_id" = "id"`,
  `alter table "webhook_delivery" alter column "series_id" set not null`,
  `create index "webhook_delivery_pending_index" on "webhook_delivery" ("relayed", "id") where status = 'PENDING'`,
  `create table "retired_webhook_secret" (
    "id" uuid not null,
    "workspace_id" uuid not null,
    "secret" text not null,
    "retired_at" timestamptz not null default now(),
    primary key ("id"))`,
  `create index "retired_webhook_secret_workspace_index" on "retired_webhook_secret" ("workspace_id", "id")`,
];
