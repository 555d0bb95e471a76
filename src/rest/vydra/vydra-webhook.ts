import type { ArtifactLinks } from '../../files/links.ts';
import type { WebhookMessage, WebhookSurface } from '../../webhooks/surface.ts';
import { cancelledMessage } from '../core/results.ts';
import { outputOf } from './vydra-job.ts';

/** The vendor's page has completions and failures alone: it is the client itself that cancels. */
export function vydraWebhook(links: ArtifactLinks): WebhookSurface {
  return { notifiesOfCancellation: false, payload: (message) => payload(message, links) };
}

/** Exactly the keys of the vendor's two examples. */
function payload({ event, job }: WebhookMessage, links: ArtifactLinks): object {
  const { id: jobId, type: workflow, finishedAt: completedAt } = job;
  switch (event) {
    case 'JOB_COMPLETED':
      return { jobId, status: 'completed', workflow, output: outputOf(job, links, completedAt ?? job.createdAt), completedAt };
    case 'JOB_CANCELLED':
    case 'JOB_FAILED':
      return {
        jobId,
        status: 'failed',
        workflow,
        error: {
          message: job.error?.message ?? cancelledMessage,
          code: job.error?.code ?? 'PROCESSING_ERROR',
        },
        refund: { applied: job.creditsRefunded > 0, creditsRefunded: job.creditsRefunded },
        completedAt,
      };
  }
}
