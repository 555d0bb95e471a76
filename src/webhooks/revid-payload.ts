import type { Job } from '../jobs/model/job.ts';
import type { Envelope } from '../rest/revid/envelope.ts';
import { innerResponse } from '../rest/revid/revid-job.ts';

/** Which process tells it may differ from try to try, and the body may not. */
const anyProcess = 1;

/** The one message about a job's end: what a status request shows inside. The vendor knows no cancelled jobs. */
export function revidPayload(job: Job): Envelope {
  return innerResponse(job, anyProcess);
}
