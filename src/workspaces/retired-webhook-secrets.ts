import { type EntityManager, raw } from '@mikro-orm/core';
import { RetiredWebhookSecretEntity } from './entities.ts';

/** How long a rotated secret still signs. */
const validHours = 24;

/** SQL for when a secret was retired that no longer signs. */
const lastExpired = `now() - interval '${validHours} hours'`;

/** Only the newest retired secrets sign, because each one adds a signature to the header. */
const mostValid = 4;

/** SQL for the retired secrets of a workspace that still sign, newest first. */
export function sqlValidRetiredSecrets(workspaceId: string): string {
  return `SELECT retired_webhook_secret.secret FROM retired_webhook_secret
    WHERE retired_webhook_secret.workspace_id = ${workspaceId}
      AND retired_webhook_secret.retired_at > ${lastExpired}
    ORDER BY retired_webhook_secret.id DESC LIMIT ${mostValid}`;
}

/** Deletes the retired secrets of all workspaces that are too old to sign. */
export async function forgetRetiredSecrets(em: EntityManager): Promise<void> {
  await em.nativeDelete(RetiredWebhookSecretEntity, { retiredAt: { $lte: raw(lastExpired) } });
}
