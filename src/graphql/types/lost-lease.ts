import { encodeLeaseToken } from '../../jobs/claim/lease-token.ts';
import type { LeaseLostReason, LostLease } from '../../jobs/claim/lost-leases.ts';
import { builder } from '../builder.ts';
import { toGlobalId } from '../global-id.ts';
import { JobType } from './job.ts';

const LeaseLostReasonType = builder.enumType('LeaseLostReason', {
  description: 'Why a worker no longer holds a job.',
  values: {
    CANCELLED: { description: 'The job was cancelled.' },
    EXPIRED: { description: 'The worker did not report in time.' },
    TIMEOUT: { description: 'The attempt took longer than its job type allows.' },
    SUPERSEDED: { description: 'The attempt expired or timed out, and another one has begun since.' },
  } satisfies Record<LeaseLostReason, { description: string }>,
});

export const LostLeaseType = builder.objectRef<LostLease>('LostLease');

builder.objectType(LostLeaseType, {
  description: 'A lease that ended without the word of its worker, which stops working on the job.',
  fields: (t) => ({
    jobId: t.id({ nullable: false, description: "The job's global id.", resolve: ({ jobId }) => toGlobalId('Job', jobId) }),
    job: t.expose('job', { type: JobType, nullable: true, description: 'Null once another attempt has begun.' }),
    attempt: t.exposeInt('attempt', { nullable: false, description: 'Number of the attempt.' }),
    token: t.string({
      nullable: false,
      description: "The lease's, as it was claimed.",
      resolve: (lost) => encodeLeaseToken({ jobId: lost.jobId, token: lost.token }),
    }),
    reason: t.expose('reason', { type: LeaseLostReasonType, nullable: false, description: 'How it ended.' }),
  }),
});
