import { defineEntity, p } from '@mikro-orm/core';
import { dialects } from './dialect.ts';
import type { Scope } from './scope.ts';

export const WorkspaceEntity = defineEntity({
  name: 'Workspace',
  tableName: 'workspace',
  properties: {
    id: p.uuid().primary(),
    name: p.text(),
    /** Always the sum of the ledger; the check is what refuses a charge that the balance cannot bear. */
    credits: p.integer().default(0),
    /** Jobs that may run at once: as many rows stand in `slot`; null is unlimited. */
    concurrencyLimit: p.integer().nullable(),
    webhookSecret: p.text(),
  },
  checks: [{ name: 'workspace_credits_check', expression: 'credits >= 0' }],
});

/** A secret that was rotated away, and signs beside the one in force for a while. Apart: the workspace's row stays narrow. */
export const RetiredWebhookSecretEntity = defineEntity({
  name: 'RetiredWebhookSecret',
  tableName: 'retired_webhook_secret',
  properties: {
    id: p.uuid().primary(),
    workspaceId: p.uuid(),
    secret: p.text(),
    retiredAt: p.datetime().defaultRaw('now()'),
  },
  indexes: [{ name: 'retired_webhook_secret_workspace_index', properties: ['workspaceId', 'id'] }],
});

export const ApiKeyEntity = defineEntity({
  name: 'ApiKey',
  tableName: 'api_key',
  properties: {
    id: p.uuid().primary(),
    workspaceId: p.uuid(),
    name: p.text(),
    /** The first characters, enough to recognise it. */
    prefix: p.text(),
    /** SHA-256 of the secret, in hex. The secret itself is stored nowhere. */
    hash: p.text().unique('api_key_hash_unique'),
    scopes: p.array().columnType('text[]').$type<Scope[]>(),
    dialect: p.enum(() => dialects).default('NATIVE'),
    revokedAt: p.datetime().nullable(),
  },
  indexes: [{ name: 'api_key_workspace_index', properties: ['workspaceId', 'id'] }],
});

/** The ledger: appended to, never changed. It has no foreign key to the job and outlives it. */
export const CreditTransactionEntity = defineEntity({
  name: 'CreditTransaction',
  tableName: 'credit_transaction',
  properties: {
    id: p.uuid().primary(),
    workspaceId: p.uuid(),
    kind: p.enum(['GRANT', 'CHARGE', 'REFUND']),
    /** Signed: a charge is negative. */
    amount: p.integer(),
    balanceAfter: p.integer(),
    jobId: p.uuid().nullable(),
  },
  indexes: [{ name: 'credit_transaction_workspace_index', properties: ['workspaceId', 'id'] }],
  // The last line against a second charge or refund of one job; rows without a job are never equal.
  uniques: [{ name: 'credit_transaction_job_kind_unique', properties: ['jobId', 'kind'] }],
});
