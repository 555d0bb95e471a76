import type { Database } from '../database/database.ts';
import { newWebhookSecret } from './create-workspace.ts';

/**
 * Gives the workspace a new webhook secret, which signs from now on. The one before signs beside it for 24 hours; the one
 * before that, where there was a rotation within the last 24 hours, no longer does.
 *
 * @returns the secret, in the form of Standard Webhooks. Nothing else ever shows it.
 */
export async function rotateWebhookSecret(database: Database, workspaceId: string): Promise<string> {
  const secret = newWebhookSecret();
  await database.query(
    `UPDATE workspace SET previous_webhook_secret = webhook_secret, webhook_secret = $2, webhook_secret_rotated_at = now()
     WHERE id = $1`,
    [workspaceId, secret],
  );
  return secret;
}
