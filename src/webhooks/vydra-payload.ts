import type { Job } from '../jobs/model/job.ts';
import { cancelledMessage } from '../rest/core/results.ts';
import { outputOf } from '../rest/vydra/vydra-job.ts';
import type { WebhookEvent } from './entities.ts';

/** Exactly the keys of the vendor's two examples: DIALECTS.md, section 5, "Webhooks". */
export function vydraPayload(event: WebhookEvent, job: Job): object {
  const { id: jobId, type: workflow, finishedAt: completedAt } = job;
  switch (event) {
    case 'JOB_COMPLETED':
      return { jobId, status: 'completed', workflow, output: outputOf(job), completedAt };
    // Never noted for a cancellation (see src/jobs/end/ending.ts); if one were, its receiver knows of failures alone.
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
