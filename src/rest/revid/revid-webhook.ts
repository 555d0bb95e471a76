import type { ArtifactLinks } from '../../files/links.ts';
import type { WebhookSurface } from '../../webhooks/surface.ts';
import { innerResponse } from './revid-job.ts';

/** Which process tells it may differ from try to try, and the body may not. */
const anyProcess = 1;

/** The receiver gets what a status request shows inside. The vendor has no cancelled jobs: they are failures. */
export function revidWebhook(links: ArtifactLinks): WebhookSurface {
  return {
    notifiesOfCancellation: true,
    payload: ({ job }) => innerResponse(job, anyProcess, links, job.finishedAt ?? job.createdAt),
  };
}
