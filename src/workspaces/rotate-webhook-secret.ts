import { LockMode } from '@mikro-orm/core';
import { type Database, queryableOf } from '../database/database.ts';
import { newId } from '../database/ids.ts';
import { type Actor, byNobody, record } from './audit/record.ts';
import { RetiredWebhookSecretEntity, WorkspaceEntity } from './entities.ts';
import { newWebhookSecret, type WebhookSecrets } from './webhook-secrets.ts';

/**
 * Gives the workspace a new webhook secret, which signs from now on. Each retired secret also signs for 24 hours after
 * its own rotation, but only the newest four do.
 *
 * @returns the secret, in the Standard Webhooks format. It cannot be read again.
 */
export async function rotateWebhookSecret(
  { database, webhookSecrets }: { database: Database; webhookSecrets: WebhookSecrets },
  workspaceId: string,
  by: Actor = byNobody,
): Promise<string> {
  const secret = newWebhookSecret();
  await database.transactional(async (em) => {
    // The lock makes the second of two concurrent rotations retire the secret that the first one made.
    const lock = { populate: ['webhookSecret'], lockMode: LockMode.PESSIMISTIC_WRITE } as const;
    const workspace = await em.findOneOrFail(WorkspaceEntity, { id: workspaceId }, lock);
    // Generate the id under the lock, so that ids sort in order of rotation.
    em.create(RetiredWebhookSecretEntity, { id: newId(), workspaceId, secret: workspace.webhookSecret });
    workspace.webhookSecret = webhookSecrets.seal(secret, workspaceId);
    await record(queryableOf(em), { workspaceId, action: 'webhook_secret.rotate', by, target: { type: 'Workspace', id: workspaceId } });
  });
  return secret;
}
