import {
  AlreadyFinishedError,
  IdempotencyConflictError,
  InsufficientCreditsError,
  NotFoundError,
  NotRetryableError,
  QueueFullError,
  ValidationError,
} from '../../errors.ts';
import type { Job } from '../../jobs/model/job.ts';
import { builder } from '../builder.ts';
import { requireId } from '../global-id.ts';
import { JobType } from '../types/job.ts';
import { jobPayload } from './job-payload.ts';
import { mutation } from './mutation.ts';

const native = { dialect: 'NATIVE' } as const;

const CreateJobInput = builder.inputType('CreateJobInput', {
  description: 'A job to be created.',
  fields: (t) => ({
    type: t.string({ required: true, description: 'Name of a job type: see `jobTypes`.' }),
    input: t.field({ type: 'JSONObject', description: "What the type's inputSchema takes; {} where not given." }),
    priority: t.int({ description: '-100 to 100, 0 where not given: minutes of head start.' }),
    runAt: t.field({ type: 'DateTime', description: 'Not before this instant; at once where not given.' }),
    tags: t.stringList({ description: 'At most 20, of 1 to 100 characters.' }),
    webhookUrl: t.string({ description: 'http or https; checked, so that a bad one is a ValidationError.' }),
    maxAttempts: t.int({ description: "1 to 100; the type's own where not given." }),
    idempotencyKey: t.string({
      description: 'Same key and same request within 24 hours: the same job, charged once. At most 255 characters.',
    }),
  }),
});

const CreateJobPayload = jobPayload('CreateJobPayload', 'The job was created, or its key had created it before.');

mutation('createJob', {
  scopes: ['WRITE'],
  description: 'WRITE. Creates a job: PENDING, and charged, or nothing at all.',
  input: { type: CreateJobInput, description: 'The job.' },
  payload: CreateJobPayload,
  errors: [ValidationError, InsufficientCreditsError, QueueFullError, IdempotencyConflictError],
  resolve: async (input, { jobs, viewer }) => ({
    job: await jobs.create(viewer.workspaceId, input, native),
  }),
});

const CreateJobsInput = builder.inputType('CreateJobsInput', {
  description: 'Jobs to be created together.',
  fields: (t) => ({ jobs: t.field({ type: [CreateJobInput], required: true, description: '1 to 1000. All or none.' }) }),
});

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

mutation('createJobs', {
  scopes: ['WRITE'],
  description: 'WRITE. Creates 1 to 1000 jobs, all or none.',
  input: { type: CreateJobsInput, description: 'The jobs.' },
  payload: CreateJobsPayload,
  errors: [ValidationError, InsufficientCreditsError, QueueFullError, IdempotencyConflictError],
  size: (input) => Math.max(input.jobs.length, 1),
  resolve: async (input, { jobs, viewer }) => ({
    jobs: await jobs.createMany(viewer.workspaceId, input.jobs, native),
  }),
});

const CancelJobInput = builder.inputType('CancelJobInput', {
  description: 'A job to be cancelled.',
  fields: (t) => ({
    id: t.id({ required: true, description: "The job's global id or plain UUID." }),
    reason: t.string({ description: 'Kept as cancelReason; at most 1,000 characters.' }),
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

mutation('cancelJob', {
  scopes: ['WRITE'],
  description: 'WRITE. Cancels a job that has not ended: final at once, and refunded.',
  input: { type: CancelJobInput, description: 'The job.' },
  payload: CancelJobPayload,
  errors: [NotFoundError, AlreadyFinishedError, ValidationError],
  resolve: async ({ id, ...request }, { jobs, viewer }) => ({
    job: await jobs.cancel(viewer.workspaceId, requireId('Job', id), request),
  }),
});

const RetryJobInput = builder.inputType('RetryJobInput', {
  description: 'A job to be tried again as a new one.',
  fields: (t) => ({
    id: t.id({ required: true, description: "The job's global id or plain UUID." }),
    idempotencyKey: t.string({ description: 'As in CreateJobInput.' }),
  }),
});

const RetryJobPayload = jobPayload(
  'RetryJobPayload',
  'A new job with the same type and input; the old one stays as it ended.',
);

mutation('retryJob', {
  scopes: ['WRITE'],
  description: 'WRITE. Makes a new job of one that FAILED or was CANCELLED, and charges for it.',
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
    job: await jobs.retry(viewer.workspaceId, requireId('Job', id), idempotencyKey ?? null),
  }),
});
