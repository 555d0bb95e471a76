import type { ArtifactLinks } from '../../files/links.ts';
import type { Job } from '../../jobs/model/job.ts';
import { isJsonObject } from '../../json.ts';
import type { WebhookEvent } from '../../webhooks/entities.ts';
import { epochSeconds, hexSignature } from '../../webhooks/signature.ts';
import type { WebhookMessage, WebhookSurface } from '../../webhooks/surface.ts';
import { cancelledMessage } from '../core/results.ts';
import { vidocuId } from './vidocu-id.ts';
import { resultOf } from './vidocu-job.ts';

/** Signed as the vendor documents it, with the newest secret: its header has room for one signature. */
export function vidocuWebhook(links: ArtifactLinks): WebhookSurface {
  return {
    notifiesOfCancellation: true,
    payload: (message) => payload(message, links),
    headers: ({ event, job }, { body, at, secret, number }) => {
      const timestamp = String(epochSeconds(at));
      return {
        'X-Vidocu-Event': eventName(event, job),
        'X-Vidocu-Timestamp': timestamp,
        'X-Vidocu-Delivery-Attempt': String(number),
        'X-Vidocu-Signature': `sha256=${hexSignature(secret, `${timestamp}.${body}`)}`,
      };
    },
  };
}

/** `data` has what the job knows of the documented fields. */
function payload({ deliveryId, event, job }: WebhookMessage, links: ArtifactLinks): object {
  const { videoId, language } = job.input;
  const { output, error } = job;
  const exportedVideoUrl = isJsonObject(output) ? output['exportedVideoUrl'] : null;
  const completed = event === 'JOB_COMPLETED';
  return {
    event: eventName(event, job),
    data: {
      videoId: typeof videoId === 'string' ? videoId : null,
      jobId: vidocuId(job),
      ...(kindOf(job.type) === 'tool' ? { toolType: job.type } : {}),
      ...(typeof language === 'string' ? { language } : {}),
      ...(typeof exportedVideoUrl === 'string' ? { exportedVideoUrl } : {}),
      ...(completed ? { result: resultOf(job, links, job.finishedAt ?? job.createdAt) } : { error: error?.message ?? cancelledMessage }),
    },
    webhookId: deliveryId,
  };
}

/**
 * The vendor's name for how the job ended. Its list has no failure of an analysis or a translation, and `process.failed`
 * stands for them: silence would leave the receiver waiting. It has no cancelled jobs either.
 */
function eventName(event: WebhookEvent, { type }: Job): string {
  const names = events[kindOf(type)];
  switch (event) {
    case 'JOB_COMPLETED':
      return names.completed;
    case 'JOB_FAILED':
    case 'JOB_CANCELLED':
      return names.failed;
  }
}

type Kind = 'analysis' | 'export' | 'translation' | 'voiceover' | 'tool';

const events: Record<Kind, { completed: string; failed: string }> = {
  analysis: { completed: 'video.analyzed', failed: 'process.failed' },
  export: { completed: 'export.completed', failed: 'export.failed' },
  translation: { completed: 'video.translated', failed: 'process.failed' },
  voiceover: { completed: 'voiceover.generated', failed: 'tool.failed' },
  tool: { completed: 'tool.completed', failed: 'tool.failed' },
};

function kindOf(type: string): Kind {
  switch (type) {
    case 'analysis':
    case 'export':
    case 'translation':
    case 'voiceover':
      return type;
    default:
      return 'tool';
  }
}
