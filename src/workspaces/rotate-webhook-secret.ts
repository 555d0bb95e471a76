import type { Database } from '../database/database.ts';
import { newId } from '../database/ids.ts';
import { newWebhookSecret } from './create-workspace.ts';

/**
 * Gives the workspace a new webhook secret, which signs from now on. Each retired secret also signs for 24 hours after
 * its own rotation, but only the newest four do.
 *
 * @returns the secret, in the Standard Webhooks format. It cannot be read again.
 */
export async function rotateWebhookSecret(database: Database, workspaceId: string): Promise<string> {
  const secret = newWebhookSecret();
  await database.transaction(async (transaction) => {
    // The lock makes the second of two concurrent rotations retire the secret that the first one made.
    const [workspace] = await transaction.query<{ webhook_secret: string }>(
      'SELECT webhook_secret FROM workspace WHERE id = $1 FOR UPDATE',
      [workspaceId],
    );
    if (workspace === undefined) throw new Error('Cannot rotate the webhook secret: the workspace does not exist.');
    // Generate the id under the lock, so that ids sort in order of rotation.
    await transaction.query('INSERT INTO retired_webhook_secret (id, workspace_id, secret) VALUES ($1, $2, $3)', [
      newId(),
      workspaceId,
      workspace.webhook_secret,
    ]);
    await transaction.query('UPDATE workspace SET webhook_secret = $2 WHERE id = $1', [workspaceId, secret]);
  });
  return secret;
}
