import type { ArtifactLinks } from '../files/links.ts';
import type { Job } from '../jobs/model/job.ts';
import type { WebhookEvent } from '../webhooks/entities.ts';
import type { WebhookSurface } from '../webhooks/surface.ts';
import { toGlobalId } from './global-id.ts';

const types = {
  JOB_COMPLETED: 'job.completed',
  JOB_FAILED: 'job.failed',
  JOB_CANCELLED: 'job.cancelled',
} as const satisfies Record<WebhookEvent, string>;

/** Jobs that came through GraphQL are told in the form of Standard Webhooks. */
export function nativeWebhook(links: ArtifactLinks): WebhookSurface {
  return { tellsOfCancellation: true, payload: ({ event, job }) => payload(event, job, links) };
}

/**
 * The job as the GraphQL contract names its fields, without its attempts and deliveries, which are rows of their own.
 *
 * The download URL is signed for the expiry in the row, so it is the same at every try, even after that instant.
 */
function payload(event: WebhookEvent, job: Job, links: ArtifactLinks): object {
  const file =
    job.artifactId === null || job.artifactExpiresAt === null
      ? null
      : { id: job.artifactId, expiresAt: job.artifactExpiresAt };
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
      downloadUrl: file === null ? null : links.sign(file),
      downloadUrlExpiresAt: file?.expiresAt ?? null,
      retryOf: job.retryOfId === null ? null : { id: toGlobalId('Job', job.retryOfId), uuid: job.retryOfId },
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
