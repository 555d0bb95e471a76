import type { JobAttempt } from '../../jobs/read/attempts.ts';
import type { AttemptOutcome } from '../../jobs/model/state-machine.ts';
import { builder } from '../builder.ts';
import { JobErrorType } from './job-error.ts';

const AttemptOutcomeType = builder.enumType('AttemptOutcome', {
  description: 'How an attempt ended.',
  values: {
    COMPLETED: { description: 'With a result.' },
    FAILED: { description: 'With an error that its worker reported.' },
    EXPIRED: { description: 'The worker went silent.' },
    TIMEOUT: { description: 'It took longer than its type allows.' },
    RELEASED: { description: 'Handed back, not counted as failed.' },
    CANCELLED: { description: 'The job was cancelled meanwhile.' },
  } satisfies Record<AttemptOutcome, { description: string }>,
});

export const JobAttemptType = builder.objectRef<JobAttempt>('JobAttempt');

JobAttemptType.implement({
  description: 'One attempt at a job by one worker.',
  fields: (t) => ({
    number: t.exposeInt('number', { nullable: false, description: '1 for the first.' }),
    workerId: t.exposeString('workerId', { nullable: false, description: 'The name that the worker gave itself.' }),
    dueAt: t.expose('dueAt', { type: 'DateTime', nullable: false, description: 'When the job was due for it.' }),
    startedAt: t.expose('startedAt', { type: 'DateTime', nullable: false, description: 'When it was claimed.' }),
    endedAt: t.expose('endedAt', { type: 'DateTime', nullable: true, description: 'Null while it runs.' }),
    outcome: t.expose('outcome', { type: AttemptOutcomeType, nullable: true, description: 'Null while it runs.' }),
    error: t.expose('error', { type: JobErrorType, nullable: true, description: 'Set if it failed.' }),
  }),
});
