import type { JobAttempt } from '../../jobs/read/attempts.ts';
import { builder } from '../builder.ts';
import { JobErrorType } from './job-error.ts';

export const JobAttemptType = builder.objectRef<JobAttempt>('JobAttempt');

JobAttemptType.implement({
  description: 'One attempt at a job by one worker.',
  fields: (t) => ({
    number: t.exposeInt('number', { nullable: false, description: '1 for the first.' }),
    workerId: t.exposeString('workerId', { nullable: false, description: 'The name that the worker gave itself.' }),
    startedAt: t.expose('startedAt', { type: 'DateTime', nullable: false, description: 'When it was claimed.' }),
    endedAt: t.expose('endedAt', { type: 'DateTime', nullable: true, description: 'Null while it runs.' }),
    error: t.expose('error', { type: JobErrorType, nullable: true, description: 'Set if it failed.' }),
  }),
});
