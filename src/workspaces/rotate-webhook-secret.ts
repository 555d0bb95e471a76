import type { Database } from '../database/database.ts';
import { newId } from '../database/ids.ts';
import { newWebhookSecret } from './create-workspace.ts';

/**
 * Gives the workspace a new webhook secret, which signs from now on. Every one that was in force signs beside it for 24
 * hours from its own rotation; of more than four the newest four.
 *
 * @returns the secret, in the form of Standard Webhooks. Nothing else ever shows it.
 */
export async function rotateWebhookSecret(database: Database, workspaceId: string): Promise<string> {
  const secret = newWebhookSecret();
  await database.transaction(async (transaction) => {
    // Locked, so that of two rotations at the same time the second retires what the first has made.
    const [workspace] = await transaction.query<{ webhook_secret: string }>(
      'SELECT webhook_secret FROM workspace WHERE id = $1 FOR UPDATE',
      [workspaceId],
    );
    if (workspace === undefined) throw new Error('The workspace whose webhook secret is to be rotated is not there.');
    // The id is made under the lock: its order is the order of the rotations.
    await transaction.query('INSERT INTO retired_webhook_secret (id, workspace_id, secret) VALUES ($1, $2, $3)', [
      newId(),
      workspaceId,
      workspace.webhook_secret,
    ]);
    await transaction.query('UPDATE workspace SET webhook_secret = $2 WHERE id = $1', [workspaceId, secret]);
  });
  return secret;
}
