import { Migration } from '@mikro-orm/migrations';

/** The first schema. Generated from the entities; storage parameters, which they cannot express, were added by hand. */
export class Initial extends Migration {
  override up(): void {
    for (const statement of statements) this.addSql(statement);
  }
}

const statements = [
  `create table "setting" ("name" text not null, "value" text not null, primary key ("name"))`,

  `create table "workspace" (
    "id" uuid not null,
    "name" text not null,
    "credits" int not null default 0,
    "concurrency_limit" int null,
    "webhook_secret" text not null,
    primary key ("id"))`,
  `alter table "workspace" add constraint "workspace_credits_check" check (credits >= 0)`,

  `create table "api_key" (
    "id" uuid not null,
    "workspace_id" uuid not null,
    "name" text not null,
    "prefix" text not null,
    "hash" text not null,
    "scopes" text[] not null,
    "dialect" text not null default 'NATIVE',
    "revoked_at" timestamptz null,
    primary key ("id"))`,
  `alter table "api_key" add constraint "api_key_hash_unique" unique ("hash")`,
  `create index "api_key_workspace_index" on "api_key" ("workspace_id", "id")`,
  `alter table "api_key" add constraint "api_key_dialect_check"
    check ("dialect" in ('NATIVE', 'VIDOCU', 'VIDEOCONDUIT', 'VYDRA', 'REVID'))`,

  `create table "credit_transaction" (
    "id" uuid not null,
    "workspace_id" uuid not null,
    "kind" text not null,
    "amount" int not null,
    "balance_after" int not null,
    "job_id" uuid null,
    primary key ("id"))`,
  `create index "credit_transaction_workspace_index" on "credit_transaction" ("workspace_id", "id")`,
  `alter table "credit_transaction" add constraint "credit_transaction_job_kind_unique" unique ("job_id", "kind")`,
  `alter table "credit_transaction" add constraint "credit_transaction_kind_check"
    check ("kind" in ('GRANT', 'CHARGE', 'REFUND'))`,

  `create table "job" (
    "id" uuid not null,
    "workspace_id" uuid not null,
    "type" text not null,
    "status" text not null default 'PENDING',
    "ready" boolean not null default true,
    "version" int not null default 1,
    "input" jsonb not null,
    "progress_step" text null,
    "progress_message" text null,
    "progress_percentage" double precision null,
    "progress_peak" double precision not null default 0,
    "output" jsonb null,
    "error_code" text null,
    "error_message" text null,
    "tags" text[] not null default '{}',
    "priority" int not null default 0,
    "attempt" int not null default 0,
    "failed_attempts" int not null default 0,
    "max_attempts" int not null,
    "credits_charged" int not null,
    "credits_refunded" int not null default 0,
    "webhook_url" text null,
    "client_reference" text null,
    "dialect" text not null default 'NATIVE',
    "artifact_id" uuid null,
    "artifact_expires_at" timestamptz null,
    "retry_of_id" uuid null,
    "cancel_reason" text null,
    "run_at" timestamptz null,
    "due_at" timestamptz not null default now(),
    "dispatch_at" timestamptz not null default now(),
    "started_at" timestamptz null,
    "finished_at" timestamptz null,
    "status_changed_at" timestamptz not null default now(),
    "updated_at" timestamptz not null default now(),
    primary key ("id"))`,
  // Leave room in each page for new row versions, so that progress updates touch no index (heap-only tuples).
  `alter table "job" set (fillfactor = 80)`,
  `create index "job_workspace_index" on "job" ("workspace_id", "id")`,
  `create index "job_workspace_status_index" on "job" ("workspace_id", "status", "id")`,
  `create index "job_workspace_type_index" on "job" ("workspace_id", "type", "id")`,
  `create index "job_dispatch_index" on "job" ("workspace_id", "type", "dispatch_at", "id")
    where status = 'PENDING' AND ready`,
  `create index "job_waiting_index" on "job" ("due_at") where status = 'PENDING' AND NOT ready`,
  `alter table "job" add constraint "job_status_check"
    check ("status" in ('PENDING', 'RUNNING', 'COMPLETED', 'FAILED', 'CANCELLED'))`,
  `alter table "job" add constraint "job_dialect_check"
    check ("dialect" in ('NATIVE', 'VIDOCU', 'VIDEOCONDUIT', 'VYDRA', 'REVID'))`,

  `create table "job_tag" (
    "workspace_id" uuid not null,
    "tag" text not null,
    "job_id" uuid not null,
    primary key ("workspace_id", "tag", "job_id"))`,

  `create table "job_attempt" (
    "job_id" uuid not null,
    "number" int not null,
    "workspace_id" uuid not null,
    "worker_id" text not null,
    "token" uuid not null,
    "started_at" timestamptz not null,
    "ended_at" timestamptz null,
    "failed" boolean not null default false,
    "error_code" text null,
    "error_message" text null,
    primary key ("job_id", "number"))`,

  `create table "lease" (
    "job_id" uuid not null,
    "workspace_id" uuid not null,
    "attempt" int not null,
    "token" uuid not null,
    "expires_at" timestamptz not null,
    "deadline_at" timestamptz not null,
    "seconds" int not null,
    "slot" int null,
    primary key ("job_id"))`,
  `alter table "lease" set (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.05)`,

  `create table "slot" (
    "workspace_id" uuid not null,
    "n" int not null,
    "job_id" uuid null,
    primary key ("workspace_id", "n"))`,

  `create table "idempotency_key" (
    "workspace_id" uuid not null,
    "scope" text not null,
    "key" text not null,
    "request_hash" text not null,
    "job_id" uuid null,
    "created_at" timestamptz not null default now(),
    primary key ("workspace_id", "scope", "key"))`,
  `create index "idempotency_key_created_index" on "idempotency_key" ("created_at")`,
  `alter table "idempotency_key" add constraint "idempotency_key_scope_check" check ("scope" in ('JOB', 'GRANT'))`,

  `create table "webhook_delivery" (
    "id" uuid not null,
    "workspace_id" uuid not null,
    "job_id" uuid not null,
    "url" text not null,
    "event" text not null,
    "status" text not null default 'PENDING',
    "attempt_count" int not null default 0,
    "last_response_status" int null,
    "last_error" text null,
    "delivered_at" timestamptz null,
    primary key ("id"))`,
  `create index "webhook_delivery_job_index" on "webhook_delivery" ("job_id", "id")`,
  `alter table "webhook_delivery" add constraint "webhook_delivery_event_check"
    check ("event" in ('JOB_COMPLETED', 'JOB_FAILED', 'JOB_CANCELLED'))`,
  `alter table "webhook_delivery" add constraint "webhook_delivery_status_check"
    check ("status" in ('PENDING', 'DELIVERED', 'FAILED'))`,

  `create table "artifact" (
    "id" uuid not null,
    "workspace_id" uuid not null,
    "job_id" uuid not null,
    "filename" text not null,
    "media_type" text not null,
    "bytes" bigint not null,
    "sha256" text not null,
    "expires_at" timestamptz not null,
    primary key ("id"))`,
  `create index "artifact_expires_index" on "artifact" ("expires_at")`,
];
