import * as errors from '../../errors.ts';
import { builder } from '../builder.ts';
import { JobType } from './job.ts';

const UserError = builder.interfaceRef<errors.LonghaulError>('UserError').implement({
  description: "What every expected failure of a mutation looks like; the unions' other members implement it.",
  fields: (t) => ({
    code: t.exposeString('code', { nullable: false, description: 'Stable: see the error catalogue in the README.' }),
    message: t.exposeString('message', { nullable: false, description: 'For a person: what is wrong and what to do.' }),
  }),
});

const FieldIssue = builder.objectRef<errors.FieldIssue>('FieldIssue').implement({
  description: 'One fault of an input.',
  fields: (t) => ({
    path: t.exposeStringList('path', {
      nullable: false,
      description: 'Path into the mutation\'s input, for example ["input", "sourceUrl"].',
    }),
    message: t.exposeString('message', { nullable: false, description: 'What is expected there.' }),
  }),
});

builder.objectType(errors.ValidationError, {
  name: 'ValidationError',
  description: 'The input cannot be taken; nothing was done. `issues` has every fault with its place.',
  interfaces: [UserError],
  fields: (t) => ({ issues: t.expose('issues', { type: [FieldIssue], nullable: false, description: 'At least one.' }) }),
});

builder.objectType(errors.NotFoundError, {
  name: 'NotFoundError',
  description: 'The id names nothing that the caller may see.',
  interfaces: [UserError],
});

builder.objectType(errors.InsufficientCreditsError, {
  name: 'InsufficientCreditsError',
  description: 'The balance does not cover it; nothing was created and nothing charged.',
  interfaces: [UserError],
  fields: (t) => ({
    required: t.exposeInt('required', { nullable: false, description: 'Credits that it costs.' }),
    available: t.exposeInt('available', { nullable: false, description: 'Credits that the workspace has.' }),
  }),
});

builder.objectType(errors.QueueFullError, {
  name: 'QueueFullError',
  description: 'The workspace has as many pending jobs as it may; nothing was created.',
  interfaces: [UserError],
  fields: (t) => ({
    limit: t.exposeInt('limit', { nullable: false, description: 'Pending jobs that a workspace may have.' }),
  }),
});

builder.objectType(errors.IdempotencyConflictError, {
  name: 'IdempotencyConflictError',
  description: 'The idempotency key was used for a different request within the last 24 hours.',
  interfaces: [UserError],
  fields: (t) => ({
    job: t.expose('job', {
      type: JobType,
      nullable: false,
      description: 'The job that the key already created from a different request.',
    }),
  }),
});

builder.objectType(errors.AlreadyFinishedError, {
  name: 'AlreadyFinishedError',
  description: 'The job is COMPLETED, FAILED or CANCELLED and does not change any more.',
  interfaces: [UserError],
  fields: (t) => ({ job: t.expose('job', { type: JobType, nullable: false, description: 'As it ended.' }) }),
});

builder.objectType(errors.LeaseLostError, {
  name: 'LeaseLostError',
  description: "The caller's lease on the attempt is gone: expired, superseded, or the job was cancelled.",
  interfaces: [UserError],
  fields: (t) => ({
    job: t.expose('job', { type: JobType, nullable: true, description: 'Null when the token names nothing.' }),
  }),
});

builder.objectType(errors.NotRetryableError, {
  name: 'NotRetryableError',
  description: 'Only FAILED and CANCELLED jobs can be retried.',
  interfaces: [UserError],
  fields: (t) => ({ job: t.expose('job', { type: JobType, nullable: false, description: 'As it is now.' }) }),
});
