import { ArtifactEntity } from '../files/artifact-entity.ts';
import {
  JobAttemptEntity,
  JobChangeEntity,
  JobEntity,
  JobTagEntity,
  LeaseEntity,
  SlotEntity,
} from '../jobs/model/entities.ts';
import { PausedJobTypeEntity } from '../jobs/pausing/entities.ts';
import { CountedLogEntity, JobStatisticEntity, JobTotalEntity } from '../jobs/statistics/entities.ts';
import { WorkerEntity } from '../jobs/workers/entities.ts';
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
  CountedLogEntity,
  JobTotalEntity,
  JobStatisticEntity,
  WorkerEntity,
  PausedJobTypeEntity,
  IdempotencyKeyEntity,
  WebhookDeliveryEntity,
  ArtifactEntity,
];
