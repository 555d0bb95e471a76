import { defineEntity, p } from '@mikro-orm/core';
import { dialects } from './dialect.ts';
import type { Scope } from './scope.ts';

export const WorkspaceEntity = defineEntity({
  name: 'Workspace',
  tableName: 'workspace',
  properties: {
    id: p.uuid().primary(),
    name: p.text(),
    /** Always the sum of the ledger. The check constraint refuses a charge that exceeds the balance. */
    credits: p.bigint('number').defaultRaw('0'),
    /** How many jobs may run at once. `slot` has one row for each. Null means unlimited. */
    concurrencyLimit: p.integer().strictNullable(),
    /** Whether its jobs wait. */
    paused: p.boolean().default(false),
    /** Signs webhooks. Only the sender reads it. */
    webhookSecret: p.text().lazy().hidden(),
    /** No more jobs than this are pending. Creations add theirs, and count when it exceeds what is allowed (`QueueRoom`). */
    pendingAtMost: p.integer().default(0).lazy().hidden(),
    /** MAX_QUEUE_LENGTH at the last creation. The check constraint refuses a creation that exceeds it. */
    pendingAllowed: p.integer().default(0).lazy().hidden(),
  },
  indexes: [{ name: 'workspace_paused_index', properties: ['id'], where: 'paused' }],
  checks: [
    { name: 'workspace_credits_check', expression: 'credits >= 0' },
    { name: 'workspace_pending_check', expression: 'pending_at_most <= pending_allowed' },
  ],
});

/** A rotated webhook secret. It still signs for a while. A separate table keeps the workspace row narrow. */
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
    /** The first characters of the secret, enough to recognise the key. */
    prefix: p.text(),
    /** SHA-256 of the secret, in hex. The secret itself is never stored. */
    hash: p.text().unique('api_key_hash_unique').lazy().hidden(),
    scopes: p.array().columnType('text[]').$type<Scope[]>(),
    dialect: p.enum(dialects).default('NATIVE'),
    revokedAt: p.datetime().strictNullable(),
    /** To within a few minutes. */
    lastUsedAt: p.datetime().strictNullable(),
  },
  indexes: [{ name: 'api_key_workspace_index', properties: ['workspaceId', 'id'] }],
});

/** The append-only ledger. It has no foreign key to the job and outlives it. */
export const CreditTransactionEntity = defineEntity({
  name: 'CreditTransaction',
  tableName: 'credit_transaction',
  properties: {
    workspaceId: p.uuid().primary(),
    id: p.uuid().primary(),
    kind: p.enum(['GRANT', 'CHARGE', 'REFUND']),
    /** Charges are negative. */
    amount: p.bigint('number'),
    balanceAfter: p.bigint('number'),
    jobId: p.uuid().strictNullable(),
  },
  // The last defence against refunding a job twice. A charge needs none: it comes with its job, whose id is unique.
  uniques: [{ name: 'credit_transaction_refund_unique', properties: ['jobId'], where: `kind = 'REFUND'` }],
});
