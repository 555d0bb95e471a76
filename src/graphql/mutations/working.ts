import { ValidationError } from '../../errors.ts';
import { LeaseLostError } from '../../jobs/model/job-errors.ts';
import { encodeLeaseToken } from '../../jobs/claim/lease-token.ts';
import type { Job } from '../../jobs/model/job.ts';
import { workScope } from '../../workspaces/viewer.ts';
import { builder } from '../builder.ts';
import { JobType } from '../types/job.ts';
import { jobPayload } from './job-payload.ts';
import { mutation } from './mutation.ts';

/** The id of no job: it is not a UUIDv7. */
const noJob = '00000000-0000-0000-0000-000000000000';

interface LeaseShape {
  job: Job;
  token: string;
  expiresAt: Date;
  leaseSeconds: number;
}

const Lease = builder.objectRef<LeaseShape>('Lease').implement({
  description: 'The right to work on one attempt at a job.',
  fields: (t) => ({
    job: t.expose('job', { type: JobType, nullable: false, description: 'The job, RUNNING since this claim; whole also without READ.' }),
    attempt: t.int({
      nullable: false,
      description: 'Number of the attempt, 1 for the first.',
      resolve: ({ job }) => job.attempt,
    }),
    token: t.exposeString('token', { nullable: false, description: 'Required in every later call for this attempt.' }),
    expiresAt: t.expose('expiresAt', {
      type: 'DateTime',
      nullable: false,
      description: "The attempt ends at this instant, by the server's clock, unless it reports or sends a heartbeat first.",
    }),
    seconds: t.exposeInt('leaseSeconds', {
      nullable: false,
      description:
        'How long the lease lasts from the claim and from each report on. Report about three times in this time: ' +
        'unlike `expiresAt`, it does not depend on the clocks of two machines.',
    }),
  }),
});

const ClaimJobsInput = builder.inputType('ClaimJobsInput', {
  description: 'The jobs that a worker asks for.',
  fields: (t) => ({
    types: t.stringList({ required: true, description: 'Names of job types, 1 to 100.' }),
    jobIds: t.idList({ description: 'If given, only these jobs: to pick particular ones by hand. At most 100.' }),
    limit: t.int({ description: '1 to 100. Default: 1.' }),
    workerId: t.string({ required: true, description: 'Recorded in the attempts. 1 to 200 characters.' }),
    waitSeconds: t.int({ description: 'How long to wait for work, 0 to 30. The answer comes as soon as there is some. Default: 0.' }),
  }),
});

const ClaimJobsPayload = builder.objectRef<{ leases: LeaseShape[] }>('ClaimJobsPayload').implement({
  description: 'What was claimed.',
  fields: (t) => ({
    leases: t.expose('leases', {
      type: [Lease],
      nullable: false,
      description: 'Empty if there was no work.',
      complexity: { field: 1, multiplier: 1 },
    }),
  }),
});

mutation('claimJobs', {
  scopes: ['WORK', 'WORK_ALL'],
  description: "WORK: takes jobs of the key's workspace. WORK_ALL: of every workspace, in turn.",
  input: { type: ClaimJobsInput, description: 'Which jobs to claim.' },
  payload: ClaimJobsPayload,
  errors: [ValidationError],
  size: (input) => Math.min(Math.max(input.limit ?? 1, 1), 100),
  resolve: async ({ jobIds, ...claim }, { jobs, viewer, signal }) => {
    // A malformed id claims nothing, but still counts toward the limit.
    const scope = workScope(viewer);
    const named = jobIds == null ? undefined : await Promise.all(jobIds.map(async (id) => (await jobs.ids.uuidOf(scope, id)) ?? noJob));
    const request = { ...claim, apiKeyId: viewer.apiKeyId, ...(named === undefined ? {} : { jobIds: named }) };
    const started = await jobs.claim(scope, request, signal);
    return {
      leases: started.map(({ job, token, ...lease }) => ({
        job,
        token: encodeLeaseToken({ jobId: job.id, token }),
        ...lease,
      })),
    };
  },
});

const ReportProgressInput = builder.inputType('ReportProgressInput', {
  description: 'Fields that are left out keep their value; null clears them.',
  fields: (t) => ({
    token: t.string({ required: true, description: "The lease's." }),
    step: t.string({ description: 'Machine-readable name of the current step. At most 200 characters.' }),
    message: t.string({ description: 'A sentence for people. At most 2,000 characters.' }),
    percentage: t.float({ description: '0 to 100. If it is lower than before, the higher value stays.' }),
  }),
});

const ReportProgressPayload = builder.objectRef<{ expiresAt: Date }>('ReportProgressPayload').implement({
  description: 'Progress to report. A call with only the token is a heartbeat.',
  fields: (t) => ({
    expiresAt: t.expose('expiresAt', { type: 'DateTime', nullable: false, description: 'The new end of the lease.' }),
  }),
});

mutation('reportProgress', {
  scopes: ['WORK', 'WORK_ALL'],
  description: 'WORK. Records progress and renews the lease.',
  input: { type: ReportProgressInput, description: 'The progress.' },
  payload: ReportProgressPayload,
  errors: [LeaseLostError, ValidationError],
  resolve: async (input, { jobs, viewer }) => ({
    expiresAt: await jobs.report(workScope(viewer), input),
  }),
});

const CompleteJobInput = builder.inputType('CompleteJobInput', {
  description: 'Idempotent: after a lost response, the same token and output get the same answer.',
  fields: (t) => ({
    token: t.string({ required: true, description: "The lease's." }),
    output: t.field({ type: 'JSON', description: 'The result, any JSON value. Default: null.' }),
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
    code: t.string({ required: true, description: 'Stable machine-readable code, for example PROCESSING_ERROR.' }),
    message: t.string({ required: true, description: 'A sentence for people. 1 to 10,000 characters.' }),
    retryable: t.boolean({ description: 'False fails the job even if attempts are left. Default: true.' }),
  }),
});

const FailJobPayload = jobPayload('FailJobPayload', 'The job is FAILED, or PENDING for another attempt.');

mutation('failJob', {
  scopes: ['WORK', 'WORK_ALL'],
  description: 'WORK. Fails an attempt. Another follows after a pause, or the job is FAILED and refunded.',
  input: { type: FailJobInput, description: 'The failure.' },
  payload: FailJobPayload,
  errors: [LeaseLostError, ValidationError],
  resolve: async ({ retryable, ...failure }, { jobs, viewer }) => ({
    job: await jobs.fail(workScope(viewer), { ...failure, retryable: retryable ?? undefined }),
  }),
});

const ReleaseJobInput = builder.inputType('ReleaseJobInput', {
  description: 'Hands back an attempt, as a worker does that shuts down. It does not count as failed.',
  fields: (t) => ({ token: t.string({ required: true, description: "The lease's." }) }),
});

const ReleaseJobPayload = jobPayload('ReleaseJobPayload', 'The job is PENDING again, as if it had never been claimed.');

mutation('releaseJob', {
  scopes: ['WORK', 'WORK_ALL'],
  description: 'WORK. Hands back an attempt without counting it as failed.',
  input: { type: ReleaseJobInput, description: 'The attempt.' },
  payload: ReleaseJobPayload,
  errors: [LeaseLostError, ValidationError],
  resolve: async (input, { jobs, viewer }) => ({
    job: await jobs.release(workScope(viewer), input),
  }),
});
