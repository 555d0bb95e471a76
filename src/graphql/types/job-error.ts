import type { JobFailure } from '../../jobs/model/job.ts';
import { builder } from '../builder.ts';

export const JobErrorType = builder.objectRef<JobFailure>('JobError').implement({
  description: 'Why a job or an attempt failed.',
  fields: (t) => ({
    code: t.exposeString('code', { nullable: false, description: 'Stable machine-readable code, for example PROCESSING_ERROR.' }),
    message: t.exposeString('message', { nullable: false, description: 'A sentence for people.' }),
  }),
});
