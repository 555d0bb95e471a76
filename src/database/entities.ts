import { defineEntity, p } from '@mikro-orm/core';
import { ArtifactEntity } from '../files/artifact-entity.ts';
import {
  IdempotencyKeyEntity,
  JobAttemptEntity,
  JobChangeEntity,
  JobEntity,
  JobTagEntity,
  LeaseEntity,
  SlotEntity,
} from '../jobs/model/entities.ts';
import { WebhookDeliveryEntity } from '../webhooks/entities.ts';
import {
  ApiKeyEntity,
  CreditTransactionEntity,
  RetiredWebhookSecretEntity,
  WorkspaceEntity,
} from '../workspaces/entities.ts';

/** Settings of this installation, such as its id, which its processes and volumes share. */
export const SettingEntity = defineEntity({
  name: 'Setting',
  tableName: 'setting',
  properties: {
    name: p.text().primary(),
    value: p.text(),
  },
});

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
  IdempotencyKeyEntity,
  WebhookDeliveryEntity,
  ArtifactEntity,
];
