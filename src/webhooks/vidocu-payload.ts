import type { Job } from '../jobs/model/job.ts';
import { isJsonObject } from '../jobs/types/job-type.ts';
import { cancelledMessage, wrapped } from '../rest/core/results.ts';
import { vidocuId } from '../rest/vidocu/vidocu-id.ts';
import type { WebhookEvent } from './entities.ts';

/** `{event, data, webhookId}`: DIALECTS.md, section 8. `data` has what the job knows of the documented fields. */
export function vidocuPayload(deliveryId: string, event: WebhookEvent, job: Job): object {
  const { videoId, language } = job.input;
  const { output, error } = job;
  const exportedVideoUrl = isJsonObject(output) ? output['exportedVideoUrl'] : null;
  const completed = event === 'JOB_COMPLETED';
  return {
    event: vidocuEvent(event, job),
    data: {
      videoId: typeof videoId === 'string' ? videoId : null,
      jobId: vidocuId(job),
      ...(kindOf(job.type) === 'tool' ? { toolType: job.type } : {}),
      ...(typeof language === 'string' ? { language } : {}),
      ...(typeof exportedVideoUrl === 'string' ? { exportedVideoUrl } : {}),
      ...(completed ? { result: wrapped(output) } : { error: error?.message ?? cancelledMessage }),
    },
    webhookId: deliveryId,
  };
}

/**
 * The vendor's name for how the job ended. Its list has no failure of an analysis or a translation, so they are told as
 * `process.failed`, which is on it: silence would leave the receiver waiting. Nor does it know a cancelled job.
 */
export function vidocuEvent(event: WebhookEvent, { type }: Job): string {
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
