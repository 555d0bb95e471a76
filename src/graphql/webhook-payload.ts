import type { ArtifactLinks } from '../files/links.ts';
import { mainFile } from '../jobs/read/main-file.ts';
import type { Job } from '../jobs/model/job.ts';
import type { WebhookEvent } from '../webhooks/entities.ts';
import type { WebhookSurface } from '../webhooks/surface.ts';
import { toGlobalId } from './global-id.ts';

const types = {
  JOB_COMPLETED: 'job.completed',
  JOB_FAILED: 'job.failed',
  JOB_CANCELLED: 'job.cancelled',
} as const satisfies Record<WebhookEvent, string>;

/** The webhooks of jobs created through GraphQL, in the Standard Webhooks format. */
export function nativeWebhook(links: ArtifactLinks): WebhookSurface {
  return { notifiesOfCancellation: true, payload: ({ event, job }) => payload(event, job, links) };
}

/**
 * The job with the field names of the GraphQL contract. Attempts and deliveries, which are rows of their own, are left out.
 *
 * The download URL is signed with the expiry stored in the row, so it is the same in every try, even after it expired.
 */
function payload(event: WebhookEvent, job: Job, links: ArtifactLinks): object {
  const file = mainFile(job, links, job.finishedAt ?? job.createdAt);
  return {
    type: types[event],
    timestamp: job.finishedAt,
    data: {
      id: toGlobalId('Job', job.id),
      uuid: job.id,
      type: job.type,
      status: job.status,
      version: job.version,
      input: job.input,
      progress: job.progress,
      output: job.output,
      error: job.error,
      tags: job.tags,
      priority: job.priority,
      maxAttempts: job.maxAttempts,
      creditsCharged: job.creditsCharged,
      creditsRefunded: job.creditsRefunded,
      downloadUrl: file?.url ?? null,
      downloadUrlExpiresAt: file?.expiresAt ?? null,
      dialect: job.dialect,
      vendorId: null,
      clientReference: job.clientReference,
      retryOf: job.retryOfId === null ? null : { id: toGlobalId('Job', job.retryOfId), uuid: job.retryOfId },
      schedule: job.scheduleId === null ? null : { id: toGlobalId('Schedule', job.scheduleId) },
      cancelReason: job.cancelReason,
      runAt: job.runAt,
      nextAttemptAt: null,
      createdAt: job.createdAt,
      startedAt: job.startedAt,
      finishedAt: job.finishedAt,
      updatedAt: job.updatedAt,
    },
  };
}
