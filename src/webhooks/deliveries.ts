import type { EntityManager } from '@mikro-orm/core';
import type { Shown } from '../database/columns.ts';
import { inWindow, type Window } from '../database/keyset.ts';
import { WebhookDeliveryEntity, type WebhookDeliveryStatus } from './entities.ts';

/** One message about the end of one job, and its delivery state. */
export type WebhookDelivery = Shown<typeof WebhookDeliveryEntity>;

/**
 * Reads the same page of deliveries for each of several jobs, in one statement. The caller must be allowed to see them.
 *
 * It reads all of their deliveries in the window, of which a job has one for each of its ends.
 */
export async function listDeliveries(em: EntityManager, jobIds: readonly string[], window: Window): Promise<WebhookDelivery[]> {
  const { where, options: { orderBy } } = inWindow(window);
  return em.find(WebhookDeliveryEntity, { jobId: { $in: [...jobIds] }, ...where }, { orderBy });
}

/** Lists the deliveries of a workspace's jobs. @param statuses null for all */
export function listWorkspaceDeliveries(
  em: EntityManager,
  workspaceId: string,
  statuses: readonly WebhookDeliveryStatus[] | null,
  window: Window,
): Promise<WebhookDelivery[]> {
  const { where, options } = inWindow(window);
  const ofStatus = statuses === null ? {} : { status: { $in: [...new Set(statuses)] } };
  return em.find(WebhookDeliveryEntity, { workspaceId, ...ofStatus, ...where }, options);
}

/** Returns null if the delivery does not exist or belongs to another workspace. */
export function findDelivery(em: EntityManager, workspaceId: string, id: string): Promise<WebhookDelivery | null> {
  return em.findOne(WebhookDeliveryEntity, { id, workspaceId });
}
