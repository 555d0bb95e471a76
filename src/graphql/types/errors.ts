import * as errors from '../../errors.ts';
import * as jobErrors from '../../jobs/model/job-errors.ts';
import { builder } from '../builder.ts';
import { toGlobalId } from '../global-id.ts';
import { JobType } from './job.ts';

const UserError = builder.interfaceRef<errors.LonghaulError>('UserError').implement({
  description: "What every expected failure of a mutation looks like; the unions' other members implement it.",
  fields: (t) => ({
    code: t.exposeString('code', { nullable: false, description: 'Stable. The README lists the codes.' }),
    message: t.exposeString('message', { nullable: false, description: 'For people: what is wrong and what to do.' }),
  }),
});

const FieldIssue = builder.objectRef<errors.FieldIssue>('FieldIssue').implement({
  description: 'One fault in an input.',
  fields: (t) => ({
    path: t.exposeStringList('path', {
      nullable: false,
      description: 'Path into the mutation\'s input, for example ["input", "sourceUrl"].',
    }),
    message: t.exposeString('message', { nullable: false, description: 'What is expected at this path.' }),
  }),
});

builder.objectType(errors.ValidationError, {
  name: 'ValidationError',
  description: 'The input is invalid, and nothing was done. `issues` lists every fault with its path.',
  interfaces: [UserError],
  fields: (t) => ({ issues: t.expose('issues', { type: [FieldIssue], nullable: false, description: 'At least one.' }) }),
});

builder.objectType(errors.NotFoundError, {
  name: 'NotFoundError',
  description: 'There is nothing with this id that the caller may see.',
  interfaces: [UserError],
});

builder.objectType(errors.InsufficientCreditsError, {
  name: 'InsufficientCreditsError',
  description: 'The balance is too low. Nothing was created or charged.',
  interfaces: [UserError],
  fields: (t) => ({
    required: t.expose('required', { type: 'BigInt', nullable: false, description: 'Credits that the request costs.' }),
    available: t.expose('available', { type: 'BigInt', nullable: false, description: 'Credits that the workspace has.' }),
  }),
});

builder.objectType(errors.QueueFullError, {
  name: 'QueueFullError',
  description: 'The workspace has reached its limit of pending jobs. Nothing was created.',
  interfaces: [UserError],
  fields: (t) => ({
    limit: t.exposeInt('limit', { nullable: false, description: 'Pending jobs that a workspace may have.' }),
  }),
});

builder.objectType(errors.QuotaExceededError, {
  name: 'QuotaExceededError',
  description: "QUOTA_EXCEEDED: the workspace's uploads would take more room than it may have.",
  interfaces: [UserError],
  fields: (t) => ({
    limitBytes: t.expose('limitBytes', { type: 'BigInt', nullable: false, description: 'What all uploads of a workspace may take together.' }),
  }),
});

builder.objectType(jobErrors.IdempotencyConflictError, {
  name: 'IdempotencyConflictError',
  description: 'The idempotency key was used for a different request within the last 24 hours.',
  interfaces: [UserError],
  fields: (t) => ({
    job: t.field({
      type: JobType,
      nullable: false,
      description: 'The job that an earlier, different request with this key created. NOT_FOUND where it started a bulk action: see bulkActionId.',
      resolve: ({ job }) => {
        if (job === null) throw new errors.NotFoundError('Job');
        return job;
      },
    }),
    bulkActionId: t.id({
      nullable: true,
      description: 'The bulk action that an earlier, different startBulkAction with this key started; null for keys of jobs.',
      resolve: ({ bulkActionId }) => (bulkActionId === null ? null : toGlobalId('BulkAction', bulkActionId)),
    }),
  }),
});

builder.objectType(jobErrors.AlreadyFinishedError, {
  name: 'AlreadyFinishedError',
  description: 'The job is COMPLETED, FAILED or CANCELLED and can no longer change.',
  interfaces: [UserError],
  fields: (t) => ({ job: t.expose('job', { type: JobType, nullable: false, description: 'Its final state.' }) }),
});

builder.objectType(jobErrors.LeaseLostError, {
  name: 'LeaseLostError',
  description: "The caller's lease on the attempt is gone: expired, superseded, or the job was cancelled.",
  interfaces: [UserError],
  fields: (t) => ({
    job: t.expose('job', { type: JobType, nullable: true, description: 'Null if the token names nothing, and once another attempt has begun.' }),
  }),
});

builder.objectType(jobErrors.NotRetryableError, {
  name: 'NotRetryableError',
  description: 'Only FAILED and CANCELLED jobs can be retried.',
  interfaces: [UserError],
  fields: (t) => ({ job: t.expose('job', { type: JobType, nullable: false, description: 'Its current state.' }) }),
});
