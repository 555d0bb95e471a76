import { raw } from '@mikro-orm/core';
import { NotFoundError } from '../errors.ts';
import type { Database } from '../database/database.ts';
import type { Jobs } from '../jobs/jobs.ts';
import { findDelivery, type WebhookDelivery } from './deliveries.ts';
import { initialDeliveryStatus, WebhookDeliveryEntity } from './entities.ts';

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
  const em = database.em();
  const again = { status: initialDeliveryStatus, ready: true, sending: false, dueAt: raw('now()'), tries: 0, attempt: raw('attempt + 1'), deliveredAt: null } as const;
  // One statement, because the sender may be writing to the row too.
  await em.nativeUpdate(WebhookDeliveryEntity, { id: deliveryId, workspaceId }, again);
  const delivery = await findDelivery(em, workspaceId, deliveryId);
  if (delivery === null) throw new NotFoundError('Webhook delivery');
  jobs.deliveryNoted();
  return delivery;
}
