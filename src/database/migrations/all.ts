import type { Migration as ReleasedMigration } from '@mikro-orm/migrations';
import type { ORM } from '../orm.ts';
import { type Migration, sql } from '../migrate/step.ts';
import { artifacts } from './2026-11-27-artifacts.ts';
import { checkpoints } from './2026-11-27-checkpoints.ts';
import { Initial } from './2026-11-22-initial.ts';
import { JobChange } from './2026-11-22-job-change.ts';
import { WebhookDelivery } from './2026-11-22-webhook-delivery.ts';
import { audit } from './2026-11-27-audit.ts';
import { clientReference } from './2026-11-27-client-reference.ts';
import { bulkActions } from './2026-11-27-bulk-actions.ts';
import { concurrencyKeys } from './2026-11-27-concurrency-keys.ts';
import { creditsBigint } from './2026-11-26-credits-bigint.ts';
import { jobLife } from './2026-11-26-job-life.ts';
import { leaseKey } from './2026-11-26-lease-key.ts';
import { pausing } from './2026-11-27-pausing.ts';
import { queueBound } from './2026-11-26-queue-bound.ts';
import { filters } from './2026-11-27-filters.ts';
import { logs } from './2026-11-27-logs.ts';
import { schedules } from './2026-11-27-schedules.ts';
import { seeing } from './2026-11-27-seeing.ts';
import { statistics } from './2026-11-27-statistics.ts';
import { uploads } from './2026-11-27-uploads.ts';
import { WebhookDue } from './2026-11-26-webhook-due.ts';
import { workers } from './2026-11-27-workers.ts';

/** All migrations, in order. */
export function allMigrations(orm: ORM): readonly Migration[] {
  return [
    first(orm, '2026-11-22-initial', Initial),
    first(orm, '2026-11-22-job-change', JobChange),
    first(orm, '2026-11-22-webhook-delivery', WebhookDelivery),
    first(orm, '2026-11-26-webhook-due', WebhookDue),
    jobLife,
    leaseKey,
    creditsBigint,
    queueBound,
    statistics,
    workers,
    filters,
    pausing,
    seeing,
    audit,
    checkpoints,
    clientReference,
    bulkActions,
    schedules,
    concurrencyKeys,
    logs,
    artifacts,
    uploads,
  ];
}

/** The migrations of version 0.1.0 were classes for MikroORM's migrator, each one transaction. */
function first(orm: ORM, name: string, Released: new (...of: ConstructorParameters<typeof ReleasedMigration>) => ReleasedMigration): Migration {
  const released = new Released(orm.em.getDriver(), orm.config);
  void released.up();
  return { name, oldestVersion: null, steps: [sql('everything', ...released.getQueries().map(String))] };
}
