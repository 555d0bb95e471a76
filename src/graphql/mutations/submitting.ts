import { InsufficientCreditsError, NotFoundError, QueueFullError, ValidationError } from '../../errors.ts';
import { AlreadyFinishedError, IdempotencyConflictError, NotRetryableError } from '../../jobs/model/job-errors.ts';
import type { JobOrigin } from '../../jobs/create/job-request.ts';
import type { Job } from '../../jobs/model/job.ts';
import { builder } from '../builder.ts';
import type { JobWarning } from '../../jobs/workers/warnings.ts';
import { submitterOf, type Viewer } from '../../workspaces/viewer.ts';
import { requireOwnJobId } from '../queries/visible-job.ts';
import { JobType } from '../types/job.ts';
import { JobWarningType } from '../types/job-warning.ts';
import { jobPayload } from './job-payload.ts';
import { mutation } from './mutation.ts';

/** A token's jobs are kept to what it opens. */
function originOf(viewer: Viewer): JobOrigin {
  return { dialect: 'NATIVE', submitter: submitterOf(viewer) };
}

const CreateJobInput = builder.inputType('CreateJobInput', {
  description: 'The job to create.',
  fields: (t) => ({
    type: t.string({ required: true, description: 'Name of a job type: see `jobTypes`.' }),
    input: t.field({ type: 'JSONObject', description: "Must match the type's inputSchema. Default: {}." }),
    priority: t.int({ description: 'Minutes of head start, -100 to 100. Default: 0.' }),
    runAt: t.field({ type: 'DateTime', description: 'The job does not start before this instant. Default: now.' }),
    tags: t.stringList({ description: 'At most 20, each of 1 to 100 characters.' }),
    webhookUrl: t.string({ description: 'An http or https URL. An invalid one is a ValidationError.' }),
    clientReference: t.string({ description: "The submitter's own name for the job; not unique. At most 255 characters." }),
    maxAttempts: t.int({ description: "1 to 100. Default: the type's own." }),
    concurrencyKey: t.string({
      description:
        "Of the workspace's jobs with this key, at most concurrencyLimit run at once, whatever their types. At most 255 characters.",
    }),
    concurrencyLimit: t.int({
      description:
        "1 to 1,000; 1 where only the key is given. The key's limit is that of the job created last; a lower one stops claims, " +
        'not what runs.',
    }),
    idempotencyKey: t.string({
      description: 'Requests with the same key and content within 24 hours return the same job, charged once. At most 255 characters.',
    }),
  }),
});

const CreateJobPayload = builder.objectRef<{ job: Job; warnings: JobWarning[] }>('CreateJobPayload').implement({
  description: 'The job was created, by this call or an earlier one with the same idempotency key.',
  fields: (t) => ({
    job: t.expose('job', { type: JobType, nullable: false, description: 'Its current state.' }),
    warnings: t.expose('warnings', {
      type: [JobWarningType],
      nullable: false,
      description: 'What the submitter should know although the job was created. Empty if it has started.',
    }),
  }),
});

mutation('createJob', {
  scopes: ['WRITE'],
  forTokens: true,
  description: 'WRITE. Creates a PENDING job and charges for it, both or neither.',
  input: { type: CreateJobInput, description: 'The job.' },
  payload: CreateJobPayload,
  errors: [ValidationError, InsufficientCreditsError, QueueFullError, IdempotencyConflictError],
  resolve: async (input, { jobs, viewer }) => {
    const job = await jobs.create(viewer.workspaceId, input, originOf(viewer));
    return { job, warnings: jobs.warnings(viewer.workspaceId, [job]) };
  },
});

const CreateJobsInput = builder.inputType('CreateJobsInput', {
  description: 'Jobs to create together.',
  fields: (t) => ({ jobs: t.field({ type: [CreateJobInput], required: true, description: '1 to 1000 jobs. All are created or none.' }) }),
});

const CreateJobsPayload = builder.objectRef<{ jobs: Job[]; warnings: JobWarning[] }>('CreateJobsPayload').implement({
  description: 'All jobs were created.',
  fields: (t) => ({
    jobs: t.expose('jobs', {
      type: [JobType],
      nullable: false,
      description: 'In the order of the input.',
      // The mutation's own cost already multiplies by the number of jobs.
      complexity: { field: 1, multiplier: 1 },
    }),
    warnings: t.expose('warnings', {
      type: [JobWarningType],
      nullable: false,
      description: 'What the submitter should know although the jobs were created: one for each code and type.',
      complexity: { field: 1, multiplier: 1 },
    }),
  }),
});

mutation('createJobs', {
  scopes: ['WRITE'],
  forTokens: true,
  description: 'WRITE. Creates 1 to 1000 jobs, all or none.',
  input: { type: CreateJobsInput, description: 'The jobs.' },
  payload: CreateJobsPayload,
  errors: [ValidationError, InsufficientCreditsError, QueueFullError, IdempotencyConflictError],
  size: (input) => Math.max(input.jobs.length, 1),
  resolve: async (input, { jobs, viewer }) => {
    const created = await jobs.createMany(viewer.workspaceId, input.jobs, originOf(viewer));
    return { jobs: created, warnings: jobs.warnings(viewer.workspaceId, created) };
  },
});

const CancelJobInput = builder.inputType('CancelJobInput', {
  description: 'The job to cancel.',
  fields: (t) => ({
    id: t.id({ required: true, description: "The job's global id, UUID or vendorId." }),
    reason: t.string({ description: 'Stored as cancelReason. At most 1,000 characters.' }),
  }),
});

const CancelJobPayload = builder.objectRef<{ job: Job }>('CancelJobPayload').implement({
  description: 'The job is CANCELLED. Its worker, if any, is told to abort and can no longer write to it.',
  fields: (t) => ({
    job: t.expose('job', { type: JobType, nullable: false, description: 'Its current state.' }),
    creditsRefunded: t.int({
      nullable: false,
      description: 'Credits returned to the balance.',
      resolve: ({ job }) => job.creditsRefunded,
    }),
  }),
});

mutation('cancelJob', {
  scopes: ['WRITE'],
  forTokens: true,
  description: 'WRITE. Cancels a job that has not ended. It is final at once, and refunded.',
  input: { type: CancelJobInput, description: 'The job.' },
  payload: CancelJobPayload,
  errors: [NotFoundError, AlreadyFinishedError, ValidationError],
  resolve: async ({ id, ...request }, { jobs, viewer }) => ({
    job: await jobs.cancel(viewer.workspaceId, await requireOwnJobId({ jobs, viewer }, id), request),
  }),
});

const RetryJobInput = builder.inputType('RetryJobInput', {
  description: 'The job to retry as a new one.',
  fields: (t) => ({
    id: t.id({ required: true, description: "The job's global id, UUID or vendorId." }),
    idempotencyKey: t.string({ description: 'As in CreateJobInput.' }),
  }),
});

const RetryJobPayload = jobPayload(
  'RetryJobPayload',
  'A new job with the same type and input. The old one stays unchanged.',
);

mutation('retryJob', {
  scopes: ['WRITE'],
  forTokens: true,
  description: 'WRITE. Creates a new job from one that FAILED or was CANCELLED, and charges for it.',
  input: { type: RetryJobInput, description: 'The job.' },
  payload: RetryJobPayload,
  errors: [
    NotFoundError,
    NotRetryableError,
    ValidationError,
    InsufficientCreditsError,
    QueueFullError,
    IdempotencyConflictError,
  ],
  resolve: async ({ id, idempotencyKey }, { jobs, viewer }) => ({
    job: await jobs.retry(viewer.workspaceId, await requireOwnJobId({ jobs, viewer }, id), idempotencyKey ?? null, submitterOf(viewer)),
  }),
});
