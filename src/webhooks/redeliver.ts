import { NotFoundError } from '../errors.ts';
import type { Database } from '../database/database.ts';
import type { Jobs } from '../jobs/jobs.ts';
import { findDelivery, type WebhookDelivery } from './deliveries.ts';
import { sqlBecomes } from './entities.ts';

/**
 * Sends a delivery again with a fresh series of tries, whatever its status. The new series replaces the tries it had
 * left, and a try in flight is fenced off. The body and `webhook-id` stay the same; `attemptCount` keeps counting.
 *
 * @throws NotFoundError
 */
export async function redeliverWebhook(
  { database, jobs }: { database: Database; jobs: Jobs },
  workspaceId: string,
  deliveryId: string,
): Promise<WebhookDelivery> {
  await database.reads.query(
    `UPDATE webhook_delivery SET ${sqlBecomes.pending}, ready = true, sending = false, due_at = now(),
       tries = 0, attempt = attempt + 1, delivered_at = NULL
     WHERE id = $1 AND workspace_id = $2`,
    [deliveryId, workspaceId],
  );
  const delivery = await findDelivery(database.reads, workspaceId, deliveryId);
  if (delivery === null) throw new NotFoundError('Webhook delivery');
  jobs.deliveryNoted();
  return delivery;
}
