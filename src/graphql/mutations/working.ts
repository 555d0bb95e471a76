import { LeaseLostError, ValidationError } from '../../errors.ts';
import { encodeLeaseToken } from '../../jobs/claim/lease-token.ts';
import type { Job } from '../../jobs/model/job.ts';
import { workScope } from '../../workspaces/viewer.ts';
import { builder } from '../builder.ts';
import { parseId } from '../global-id.ts';
import { JobType } from '../types/job.ts';
import { jobPayload } from './job-payload.ts';
import { mutation } from './mutation.ts';

/** No job has it: it is no UUIDv7. */
const noJob = '00000000-0000-0000-0000-000000000000';

interface LeaseShape {
  job: Job;
  token: string;
  expiresAt: Date;
}

const Lease = builder.objectRef<LeaseShape>('Lease').implement({
  description: 'The right to work on one attempt of a job.',
  fields: (t) => ({
    job: t.expose('job', { type: JobType, nullable: false, description: 'RUNNING since this claim.' }),
    attempt: t.int({
      nullable: false,
      description: 'Number of the attempt, 1 for the first.',
      resolve: ({ job }) => job.attempt,
    }),
    token: t.exposeString('token', { nullable: false, description: 'Goes with every later call for this attempt.' }),
    expiresAt: t.expose('expiresAt', {
      type: 'DateTime',
      nullable: false,
      description: 'Report or heartbeat before this instant, or the attempt is over.',
    }),
  }),
});

const ClaimJobsInput = builder.inputType('ClaimJobsInput', {
  description: 'What a worker asks for.',
  fields: (t) => ({
    types: t.stringList({ required: true, description: 'Names of job types, 1 to 100.' }),
    jobIds: t.idList({ description: 'Only these jobs, where given: to take a particular one by hand. At most 100.' }),
    limit: t.int({ description: '1 to 100; 1 where not given.' }),
    workerId: t.string({ required: true, description: 'Stands in the attempts; 1 to 200 characters.' }),
    waitSeconds: t.int({ description: '0 to 30: answers as soon as there is work. 0 where not given.' }),
  }),
});

const ClaimJobsPayload = builder.objectRef<{ leases: LeaseShape[] }>('ClaimJobsPayload').implement({
  description: 'What was claimed.',
  fields: (t) => ({
    leases: t.expose('leases', {
      type: [Lease],
      nullable: false,
      description: 'Empty where there was no work.',
      complexity: { field: 1, multiplier: 1 },
    }),
  }),
});

mutation('claimJobs', {
  scopes: ['WORK', 'WORK_ALL'],
  description: "WORK: takes jobs of the key's workspace. WORK_ALL: of every workspace, in turn.",
  input: { type: ClaimJobsInput, description: 'What the worker can do.' },
  payload: ClaimJobsPayload,
  errors: [ValidationError],
  size: (input) => Math.min(Math.max(input.limit ?? 1, 1), 100),
  resolve: async ({ jobIds, ...claim }, { jobs, viewer, signal }) => {
    // An id that names nothing claims nothing, and counts as one all the same.
    const named = jobIds?.map((id) => parseId('Job', id) ?? noJob);
    const request = { ...claim, ...(named === undefined ? {} : { jobIds: named }) };
    const started = await jobs.claim(workScope(viewer), request, signal);
    return {
      leases: started.map(({ job, token, expiresAt }) => ({
        job,
        token: encodeLeaseToken({ jobId: job.id, token }),
        expiresAt,
      })),
    };
  },
});

const ReportProgressInput = builder.inputType('ReportProgressInput', {
  description: 'What is left out stays as it was; null clears it.',
  fields: (t) => ({
    token: t.string({ required: true, description: "The lease's." }),
    step: t.string({ description: 'Machine name of the current step; at most 200 characters.' }),
    message: t.string({ description: 'Sentence for a person; at most 2,000 characters.' }),
    percentage: t.float({ description: '0 to 100; a lower one than before shows the higher one.' }),
  }),
});

const ReportProgressPayload = builder.objectRef<{ expiresAt: Date }>('ReportProgressPayload').implement({
  description: 'Also renews the lease. A call with the token alone is a heartbeat.',
  fields: (t) => ({
    expiresAt: t.expose('expiresAt', { type: 'DateTime', nullable: false, description: 'When the lease ends now.' }),
  }),
});

mutation('reportProgress', {
  scopes: ['WORK', 'WORK_ALL'],
  description: 'WORK. Notes progress and renews the lease.',
  input: { type: ReportProgressInput, description: 'The progress.' },
  payload: ReportProgressPayload,
  errors: [LeaseLostError, ValidationError],
  resolve: async (input, { jobs, viewer }) => ({
    expiresAt: await jobs.report(workScope(viewer), input),
  }),
});

const CompleteJobInput = builder.inputType('CompleteJobInput', {
  description: 'Idempotent: the same token and output again, after a lost reply, answers the same.',
  fields: (t) => ({
    token: t.string({ required: true, description: "The lease's." }),
    output: t.field({ type: 'JSON', description: 'The result, any JSON value; null where not given.' }),
  }),
});

const CompleteJobPayload = jobPayload('CompleteJobPayload', 'The job is COMPLETED.');

mutation('completeJob', {
  scopes: ['WORK', 'WORK_ALL'],
  description: 'WORK. Ends a job with its result.',
  input: { type: CompleteJobInput, description: 'The result.' },
  payload: CompleteJobPayload,
  errors: [LeaseLostError, ValidationError],
  resolve: async (input, { jobs, viewer }) => ({
    job: await jobs.complete(workScope(viewer), input),
  }),
});

const FailJobInput = builder.inputType('FailJobInput', {
  description: 'An attempt that failed.',
  fields: (t) => ({
    token: t.string({ required: true, description: "The lease's." }),
    code: t.string({ required: true, description: 'Stable machine code, for example PROCESSING_ERROR.' }),
    message: t.string({ required: true, description: 'Sentence for a person; 1 to 10,000 characters.' }),
    retryable: t.boolean({ description: 'False ends the job whatever attempts are left. True where not given.' }),
  }),
});

const FailJobPayload = jobPayload('FailJobPayload', 'The job is FAILED, or PENDING for another attempt.');

mutation('failJob', {
  scopes: ['WORK', 'WORK_ALL'],
  description: 'WORK. Ends an attempt that failed: another follows after a pause, or the job is FAILED and refunded.',
  input: { type: FailJobInput, description: 'The failure.' },
  payload: FailJobPayload,
  errors: [LeaseLostError, ValidationError],
  resolve: async ({ retryable, ...failure }, { jobs, viewer }) => ({
    job: await jobs.fail(workScope(viewer), { ...failure, retryable: retryable ?? undefined }),
  }),
});

const ReleaseJobInput = builder.inputType('ReleaseJobInput', {
  description: 'Hands the attempt back unharmed, as a worker that shuts down does: it does not count as failed.',
  fields: (t) => ({ token: t.string({ required: true, description: "The lease's." }) }),
});

const ReleaseJobPayload = jobPayload('ReleaseJobPayload', 'The job is PENDING again, as if it had not been claimed.');

mutation('releaseJob', {
  scopes: ['WORK', 'WORK_ALL'],
  description: 'WORK. Hands an attempt back unharmed.',
  input: { type: ReleaseJobInput, description: 'The attempt.' },
  payload: ReleaseJobPayload,
  errors: [LeaseLostError, ValidationError],
  resolve: async (input, { jobs, viewer }) => ({
    job: await jobs.release(workScope(viewer), input),
  }),
});
