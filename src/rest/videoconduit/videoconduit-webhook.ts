import type { ArtifactLinks } from '../../files/links.ts';
import type { WebhookEvent } from '../../webhooks/entities.ts';
import { hexSignature } from '../../webhooks/signature.ts';
import type { WebhookSurface } from '../../webhooks/surface.ts';
import { projectVideoConduit } from './videoconduit-job.ts';

/** The receiver gets the whole job, as it was when it ended. */
export function videoConduitWebhook(links: ArtifactLinks): WebhookSurface {
  return {
    notifiesOfCancellation: true,
    payload: ({ event, job }) => ({
      event: eventName(event),
      data: projectVideoConduit(job, links, job.finishedAt ?? job.createdAt),
    }),
    headers: (_message, { body, secret }) => ({ 'X-VideoConduit-Signature': hexSignature(secret, body) }),
  };
}

/** The vendor has no cancelled jobs: they are failures. */
function eventName(event: WebhookEvent): string {
  switch (event) {
    case 'JOB_COMPLETED':
      return 'job.completed';
    case 'JOB_FAILED':
    case 'JOB_CANCELLED':
      return 'job.failed';
  }
}
