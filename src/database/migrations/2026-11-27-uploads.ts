import { type Migration, sql } from '../migrate/step.ts';

/** Files on their way in, and which of them the inputs of jobs name. */
export const uploads: Migration = {
  name: '2026-11-27-uploads',
  oldestVersion: '0.2.0',
  steps: [
    sql(
      'upload',
      `create table "upload" (
        "id" uuid not null,
        "workspace_id" uuid not null,
        "uploader" text null,
        "job_id" uuid null,
        "lease_token" uuid null,
        "filename" text not null,
        "media_type" text not null,
        "announced_bytes" bigint null,
        "announced_sha256" text null,
        "received_bytes" bigint not null default 0,
        "reserved_bytes" bigint not null default 0,
        "hash_state" text null,
        "kept_state" jsonb null,
        "writer" uuid null,
        "written_at" timestamptz null,
        "sha256" text null,
        "expires_at" timestamptz not null,
        primary key ("id"))`,
      `create index "upload_workspace_index" on "upload" ("workspace_id", "id")`,
      `create index "upload_expires_index" on "upload" ("expires_at")`,
      `create index "upload_lease_index" on "upload" ("job_id", "lease_token") where job_id IS NOT NULL`,
    ),
    sql(
      'job_upload',
      `create table "job_upload" (
        "job_id" uuid not null,
        "ordinal" int not null,
        "workspace_id" uuid not null,
        "upload_id" uuid not null,
        "reference" text not null,
        primary key ("job_id", "ordinal"))`,
      `create index "job_upload_index" on "job_upload" ("upload_id")`,
    ),
  ],
};
