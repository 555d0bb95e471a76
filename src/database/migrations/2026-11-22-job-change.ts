import { Migration } from '@mikro-orm/migrations';

/** The log of status changes, behind the feed of a workspace. */
export class JobChange extends Migration {
  override up(): void {
    for (const statement of statements) this.addSql(statement);
  }
}

const statements = [
  `create table "job_change" (
    "workspace_id" uuid not null,
    "xid" xid8 not null default pg_current_xact_id(),
    "job_id" uuid not null,
    "changed_at" timestamptz not null default now(),
    "due_at" timestamptz null,
    "version" int not null default 1,
    "attempt" int not null default 0,
    "failed_attempts" int not null default 0,
    "status" text not null default 'PENDING',
    "progress_step" text null,
    "progress_message" text null,
    "progress_percentage" double precision null,
    primary key ("workspace_id", "xid", "job_id"))`,
];
