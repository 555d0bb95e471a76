import type { ArtifactLinks } from '../files/links.ts';
import type { Job } from '../jobs/model/job.ts';
import { projectVideoConduit } from '../rest/videoconduit/videoconduit-job.ts';
import type { WebhookEvent } from './entities.ts';
import { nativePayload } from './native-payload.ts';
import { revidPayload } from './revid-payload.ts';
import { vidocuPayload } from './vidocu-payload.ts';
import { vydraPayload } from './vydra-payload.ts';

/** What a payload is made from. */
export interface Told {
  deliveryId: string;
  event: WebhookEvent;
  job: Job;
}

/**
 * The body of a delivery, in the words of the surface that the job came through. The same at every try: a final job does
 * not change, jsonb keeps its own order of keys, and nothing here looks at the clock.
 */
export function webhookBody(told: Told, links: ArtifactLinks): string {
  return JSON.stringify(payloadOf(told, links));
}

function payloadOf({ deliveryId, event, job }: Told, links: ArtifactLinks): object {
  switch (job.dialect) {
    case 'NATIVE':
      return nativePayload(event, job, links);
    case 'VIDOCU':
      return vidocuPayload(deliveryId, event, job);
    case 'VIDEOCONDUIT':
      return { event: videoConduitEvent(event), data: projectVideoConduit(job, links, job.finishedAt ?? job.createdAt) };
    case 'VYDRA':
      return vydraPayload(event, job);
    case 'REVID':
      return revidPayload(job);
  }
}

/** It knows no cancelled jobs: DIALECTS.md, section 1. */
function videoConduitEvent(event: WebhookEvent): string {
  switch (event) {
    case 'JOB_COMPLETED':
      return 'job.completed';
    case 'JOB_FAILED':
    case 'JOB_CANCELLED':
      return 'job.failed';
  }
}
