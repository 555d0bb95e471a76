import { ArtifactEntity } from '../files/artifact-entity.ts';
import { JobUploadEntity, UploadEntity } from '../files/uploads/entities.ts';
import { BulkActionEntity } from '../jobs/bulk/entities.ts';
import { ConcurrencyKeyEntity } from '../jobs/keys/entities.ts';
import { JobLogCounterEntity, JobLogEntity } from '../jobs/logs/entities.ts';
import {
  JobAttemptEntity,
  JobChangeEntity,
  JobEntity,
  JobTagEntity,
  LeaseEntity,
  SlotEntity,
} from '../jobs/model/entities.ts';
import { PausedJobTypeEntity } from '../jobs/pausing/entities.ts';
import { JobCheckpointEntity } from '../jobs/progress/entities.ts';
import { ScheduleEntity } from '../jobs/schedules/entities.ts';
import { CountedLogEntity, JobStatisticEntity, JobTotalEntity } from '../jobs/statistics/entities.ts';
import { WorkerEntity } from '../jobs/workers/entities.ts';
import { AuditEntryEntity } from '../workspaces/audit/entities.ts';
import { IdempotencyKeyEntity } from '../workspaces/idempotency-key.ts';
import { SettingEntity } from '../database/setting.ts';
import { WebhookDeliveryEntity } from '../webhooks/entities.ts';
import {
  ApiKeyEntity,
  CreditTransactionEntity,
  RetiredWebhookSecretEntity,
  WorkspaceEntity,
} from '../workspaces/entities.ts';

/** All tables of the installation. */
export const entities = [
  SettingEntity,
  WorkspaceEntity,
  RetiredWebhookSecretEntity,
  ApiKeyEntity,
  CreditTransactionEntity,
  JobEntity,
  JobChangeEntity,
  JobTagEntity,
  JobAttemptEntity,
  LeaseEntity,
  SlotEntity,
  JobCheckpointEntity,
  ConcurrencyKeyEntity,
  JobLogEntity,
  JobLogCounterEntity,
  CountedLogEntity,
  JobTotalEntity,
  JobStatisticEntity,
  WorkerEntity,
  PausedJobTypeEntity,
  BulkActionEntity,
  ScheduleEntity,
  IdempotencyKeyEntity,
  WebhookDeliveryEntity,
  ArtifactEntity,
  UploadEntity,
  JobUploadEntity,
  AuditEntryEntity,
];
