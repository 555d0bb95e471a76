import { Migration } from '@mikro-orm/migrations';

/**
 * Makes the table of deliveries its own queue. Entries of the pg-boss queue become due dates of deliveries, and the schema
 * `pgboss` is dropped unless someone else uses it too.
 *
 * Processes of the previous version cannot work with this schema, so stop them before the upgrade.
 */
export class WebhookDue extends Migration {
  override up(): void {
    for (const statement of statements) this.addSql(statement);
  }
}

// A copy of the code's expression at that time, because a released migration must not change.
const endpoint = `(
  left(md5(regexp_replace(lower(coalesce(substring(url from '^[^:]+://([^/?#]*)'), '')), ':(80|443)$', '')), 16)
  || left(md5(coalesce(substring(url from '^[^:]+://[^/?#]*(/[^?#]*)'), '/')), 16))::uuid`;

const statements = [
  // This rewrites every delivery, and there may be many.
  'set local statement_timeout = 0',
  'drop index "webhook_delivery_pending_index"',
  `alter table "webhook_delivery" add column "endpoint" uuid null,
    add column "ready" boolean not null default true,
    add column "sending" boolean not null default false,
    add column "due_at" timestamptz not null default now(),
    add column "tries" int not null default 0,
    add column "attempt" int not null default 0`,
  `update "webhook_delivery" set "endpoint" = ${endpoint}`,
  `alter table "webhook_delivery" alter column "endpoint" set not null`,
  takeOver(),
  `alter table "webhook_delivery" drop column "series_id", drop column "relayed"`,
  `create index "webhook_delivery_ready_index" on "webhook_delivery" ("workspace_id", "endpoint", "tries", "id")
    where status = 'PENDING' and ready`,
  `create index "webhook_delivery_due_index" on "webhook_delivery" ("due_at") where status = 'PENDING' and not ready`,
  `create index "webhook_delivery_sending_index" on "webhook_delivery" ("workspace_id", "endpoint")
    where status = 'PENDING' and sending`,
];

/**
 * Each queue entry names a series of tries in its data. If a delivery was sent again, the queue may still have its older
 * series, which is ignored. A delivery whose series is not in the queue, for example because it was never relayed, is due
 * now: at worst it is sent once too often, but it is never lost.
 *
 * pg-boss does not count the first try in retry_count. A queue that this role may not write to belongs to someone else.
 */
function takeOver(): string {
  return `do $$
    begin
      if not exists (select from pg_namespace where nspname = 'pgboss' and has_schema_privilege(oid, 'USAGE'))
        or to_regclass('pgboss.queue') is null
        or not coalesce(has_table_privilege(to_regclass('pgboss.job'), 'DELETE'), false) then
        return;
      end if;

      update webhook_delivery set ready = false, sending = entry.sending, due_at = entry.due_at, tries = entry.tries
      from (
        select data->>'seriesId' as series_id, bool_or(state = 'active') as sending,
          min(case when state = 'active' then started_on + expire_seconds * interval '1 s' else start_after end) as due_at,
          max((data->>'tried')::int + retry_count + case when state = 'created' then 0 else 1 end) as tries
        from pgboss.job
        where name = 'webhook' and state in ('created', 'retry', 'active') and data->>'seriesId' is not null
        group by 1
      ) as entry
      where webhook_delivery.status = 'PENDING' and webhook_delivery.series_id::text = entry.series_id;

      update webhook_delivery set status = 'FAILED', ready = false
      where status = 'PENDING' and relayed and ready and series_id::text in (
        select data->>'seriesId' from pgboss.job
        where name = 'webhook-given-up' and state in ('created', 'retry', 'active') and data->>'seriesId' is not null
      );

      delete from pgboss.job where name in ('webhook', 'webhook-given-up') and data->>'seriesId' is not null;
      if exists (select from pgboss.queue where name not in ('webhook', 'webhook-given-up')) then
        raise notice 'the schema pgboss has queues of someone else and stays';
        return;
      end if;
      -- Without CASCADE these fail if anything else is in the schema or depends on it, and then the whole schema stays.
      begin
        drop table pgboss.job, pgboss.job_dependency, pgboss.queue, pgboss.queue_stats, pgboss.schedule,
          pgboss.subscription, pgboss.bam, pgboss.warning, pgboss.version;
        drop function pgboss.create_queue, pgboss.delete_queue, pgboss.job_now, pgboss.job_table_run_async,
          pgboss.job_table_run, pgboss.job_table_format;
        drop type pgboss.job_state;
        drop schema pgboss;
      exception when dependent_objects_still_exist or insufficient_privilege or undefined_table or undefined_function then
        raise notice 'the schema pgboss stays: %', sqlerrm;
      end;
    end
  $$`;
}
