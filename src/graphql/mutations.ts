import {
  AlreadyFinishedError,
  IdempotencyConflictError,
  InsufficientCreditsError,
  LeaseLostError,
  NotFoundError,
  NotRetryableError,
  QueueFullError,
  ValidationError,
} from '../errors.ts';
import type { Job } from '../jobs/model/job.ts';
import { encodeLeaseToken } from '../jobs/claim/lease-token.ts';
import { workScope } from '../workspaces/viewer.ts';
import { builder } from './builder.ts';
import { parseId } from './global-id.ts';
import {
  CancelJobInput,
  ClaimJobsInput,
  CompleteJobInput,
  CreateJobInput,
  CreateJobsInput,
  FailJobInput,
  ReleaseJobInput,
  ReportProgressInput,
  RetryJobInput,
} from './inputs.ts';
import { JobType } from './types/job.ts';

const native = { dialect: 'NATIVE' } as const;

/** A payload that carries one job. */
function jobPayload(name: string, description: string) {
  return builder.objectRef<{ job: Job }>(name).implement({
    description,
    fields: (t) => ({
      job: t.expose('job', { type: JobType, nullable: false, description: 'As it is now.' }),
    }),
  });
}

const CreateJobPayload = jobPayload('CreateJobPayload', 'The job was created, or its key had created it before.');
const RetryJobPayload = jobPayload(
  'RetryJobPayload',
  'A new job with the same type and input; the old one stays as it ended.',
);
const CompleteJobPayload = jobPayload('CompleteJobPayload', 'The job is COMPLETED.');
const FailJobPayload = jobPayload('FailJobPayload', 'The job is FAILED, or PENDING for another attempt.');
const ReleaseJobPayload = jobPayload('ReleaseJobPayload', 'The job is PENDING again, as if it had not been claimed.');

const CreateJobsPayload = builder.objectRef<{ jobs: Job[] }>('CreateJobsPayload').implement({
  description: 'All jobs were created.',
  fields: (t) => ({
    jobs: t.expose('jobs', {
      type: [JobType],
      nullable: false,
      description: 'In the order of the input.',
      // The mutation's own cost has counted them.
      complexity: { field: 1, multiplier: 1 },
    }),
  }),
});

const CancelJobPayload = builder.objectRef<{ job: Job }>('CancelJobPayload').implement({
  description: 'The job is CANCELLED; its worker, if any, is told to abort and can no longer write.',
  fields: (t) => ({
    job: t.expose('job', { type: JobType, nullable: false, description: 'As it is now.' }),
    creditsRefunded: t.int({
      nullable: false,
      description: 'What went back to the balance.',
      resolve: ({ job }) => job.creditsRefunded,
    }),
  }),
});

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

const ReportProgressPayload = builder.objectRef<{ expiresAt: Date }>('ReportProgressPayload').implement({
  description: 'Also renews the lease. A call with the token alone is a heartbeat.',
  fields: (t) => ({
    expiresAt: t.expose('expiresAt', { type: 'DateTime', nullable: false, description: 'When the lease ends now.' }),
  }),
});

builder.mutationType({
  description:
    'Everything that changes something. Expected failures are members of the result; what is thrown is in `errors`.',
});

builder.mutationFields((t) => ({
  createJob: t.withAuth({ anyOf: ['WRITE'] }).field({
    type: CreateJobPayload,
    nullable: true,
    description: 'WRITE. Creates a job: PENDING, and charged, or nothing at all.',
    errors: {
      types: [ValidationError, InsufficientCreditsError, QueueFullError, IdempotencyConflictError],
      union: { name: 'CreateJobResult', description: 'What createJob answers.' },
    },
    args: { input: t.arg({ type: CreateJobInput, required: true, description: 'The job.' }) },
    resolve: async (_root, { input }, { jobs, viewer }) => ({
      job: await jobs.create(viewer.workspaceId, input, native),
    }),
  }),
  createJobs: t.withAuth({ anyOf: ['WRITE'] }).field({
    type: CreateJobsPayload,
    nullable: true,
    description: 'WRITE. Creates 1 to 1000 jobs, all or none.',
    complexity: ({ input }) => ({ field: 1, multiplier: Math.max(input.jobs.length, 1) }),
    errors: {
      types: [ValidationError, InsufficientCreditsError, QueueFullError, IdempotencyConflictError],
      union: { name: 'CreateJobsResult', description: 'What createJobs answers.' },
    },
    args: { input: t.arg({ type: CreateJobsInput, required: true, description: 'The jobs.' }) },
    resolve: async (_root, { input }, { jobs, viewer }) => ({
      jobs: await jobs.createMany(viewer.workspaceId, input.jobs, native),
    }),
  }),
  cancelJob: t.withAuth({ anyOf: ['WRITE'] }).field({
    type: CancelJobPayload,
    nullable: true,
    description: 'WRITE. Cancels a job that has not ended: final at once, and refunded.',
    errors: {
      types: [NotFoundError, AlreadyFinishedError, ValidationError],
      union: { name: 'CancelJobResult', description: 'What cancelJob answers.' },
    },
    args: { input: t.arg({ type: CancelJobInput, required: true, description: 'The job.' }) },
    resolve: async (_root, { input: { id, ...request } }, { jobs, viewer }) => ({
      job: await jobs.cancel(viewer.workspaceId, jobId(id), request),
    }),
  }),
  retryJob: t.withAuth({ anyOf: ['WRITE'] }).field({
    type: RetryJobPayload,
    nullable: true,
    description: 'WRITE. Makes a new job of one that FAILED or was CANCELLED, and charges for it.',
    errors: {
      types: [
        NotFoundError,
        NotRetryableError,
        ValidationError,
        InsufficientCreditsError,
        QueueFullError,
        IdempotencyConflictError,
      ],
      union: { name: 'RetryJobResult', description: 'What retryJob answers.' },
    },
    args: { input: t.arg({ type: RetryJobInput, required: true, description: 'The job.' }) },
    resolve: async (_root, { input: { id, idempotencyKey } }, { jobs, viewer }) => ({
      job: await jobs.retry(viewer.workspaceId, jobId(id), idempotencyKey ?? null),
    }),
  }),

  claimJobs: t.withAuth({ anyOf: ['WORK', 'WORK_ALL'] }).field({
    type: ClaimJobsPayload,
    nullable: true,
    description: "WORK: takes jobs of the key's workspace. WORK_ALL: of every workspace, in turn.",
    complexity: ({ input }) => ({ field: 1, multiplier: Math.min(Math.max(input.limit ?? 1, 1), 100) }),
    errors: {
      types: [ValidationError],
      union: { name: 'ClaimJobsResult', description: 'What claimJobs answers.' },
    },
    args: { input: t.arg({ type: ClaimJobsInput, required: true, description: 'What the worker can do.' }) },
    resolve: async (_root, { input: { jobIds, ...claim } }, { jobs, viewer, signal }) => {
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
  }),
  reportProgress: t.withAuth({ anyOf: ['WORK', 'WORK_ALL'] }).field({
    type: ReportProgressPayload,
    nullable: true,
    description: 'WORK. Notes progress and renews the lease.',
    errors: {
      types: [LeaseLostError, ValidationError],
      union: { name: 'ReportProgressResult', description: 'What reportProgress answers.' },
    },
    args: { input: t.arg({ type: ReportProgressInput, required: true, description: 'The progress.' }) },
    resolve: async (_root, { input }, { jobs, viewer }) => ({
      expiresAt: await jobs.report(workScope(viewer), input),
    }),
  }),
  completeJob: t.withAuth({ anyOf: ['WORK', 'WORK_ALL'] }).field({
    type: CompleteJobPayload,
    nullable: true,
    description: 'WORK. Ends a job with its result.',
    errors: {
      types: [LeaseLostError, ValidationError],
      union: { name: 'CompleteJobResult', description: 'What completeJob answers.' },
    },
    args: { input: t.arg({ type: CompleteJobInput, required: true, description: 'The result.' }) },
    resolve: async (_root, { input }, { jobs, viewer }) => ({
      job: await jobs.complete(workScope(viewer), input),
    }),
  }),
  failJob: t.withAuth({ anyOf: ['WORK', 'WORK_ALL'] }).field({
    type: FailJobPayload,
    nullable: true,
    description: 'WORK. Ends an attempt that failed: another follows after a pause, or the job is FAILED and refunded.',
    errors: {
      types: [LeaseLostError, ValidationError],
      union: { name: 'FailJobResult', description: 'What failJob answers.' },
    },
    args: { input: t.arg({ type: FailJobInput, required: true, description: 'The failure.' }) },
    resolve: async (_root, { input: { retryable, ...failure } }, { jobs, viewer }) => ({
      job: await jobs.fail(workScope(viewer), { ...failure, retryable: retryable ?? undefined }),
    }),
  }),
  releaseJob: t.withAuth({ anyOf: ['WORK', 'WORK_ALL'] }).field({
    type: ReleaseJobPayload,
    nullable: true,
    description: 'WORK. Hands an attempt back unharmed.',
    errors: {
      types: [LeaseLostError, ValidationError],
      union: { name: 'ReleaseJobResult', description: 'What releaseJob answers.' },
    },
    args: { input: t.arg({ type: ReleaseJobInput, required: true, description: 'The attempt.' }) },
    resolve: async (_root, { input }, { jobs, viewer }) => ({
      job: await jobs.release(workScope(viewer), input),
    }),
  }),
}));

/** No job has it: it is no UUIDv7. */
const noJob = '00000000-0000-0000-0000-000000000000';

function jobId(id: string): string {
  const uuid = parseId('Job', id);
  if (uuid === null) throw new NotFoundError('Job');
  return uuid;
}
