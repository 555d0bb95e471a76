import { builder } from './builder.ts';
import { DialectType, ScopeType } from './types/api-key.ts';
import { JobStatusType } from './types/job.ts';

export const JobFilterInput = builder.inputType('JobFilter', {
  description: 'Which jobs: those for which everything holds that is given.',
  fields: (t) => ({
    statuses: t.field({ type: [JobStatusType], description: 'Jobs in one of these.' }),
    types: t.stringList({ description: 'Jobs of one of these types; at most 100.' }),
    tags: t.stringList({ description: 'Jobs that bear every one of these; at most 20.' }),
    createdAfter: t.field({ type: 'DateTime', description: 'Exclusive, to the millisecond.' }),
    createdBefore: t.field({ type: 'DateTime', description: 'Exclusive, to the millisecond.' }),
  }),
});

export const JobUpdatesFilterInput = builder.inputType('JobUpdatesFilter', {
  description: 'Whose updates: those of jobs for which everything holds that is given.',
  fields: (t) => ({
    ids: t.idList({ description: 'These jobs, by global id or plain UUID; at most 100.' }),
    types: t.stringList({ description: 'Jobs of one of these types; at most 100.' }),
    tags: t.stringList({ description: 'Jobs that bear every one of these; at most 20.' }),
  }),
});

export const JobOrderType = builder.enumType('JobOrder', {
  description: 'Order of a list of jobs, by creation.',
  values: {
    NEWEST_FIRST: { value: 'DESC', description: 'The newest job first.' },
    OLDEST_FIRST: { value: 'ASC', description: 'The oldest job first.' },
  } as const,
});

export const CreateJobInput = builder.inputType('CreateJobInput', {
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

export const CreateJobsInput = builder.inputType('CreateJobsInput', {
  description: 'Jobs to be created together.',
  fields: (t) => ({ jobs: t.field({ type: [CreateJobInput], required: true, description: '1 to 1000. All or none.' }) }),
});

export const CancelJobInput = builder.inputType('CancelJobInput', {
  description: 'A job to be cancelled.',
  fields: (t) => ({
    id: t.id({ required: true, description: "The job's global id or plain UUID." }),
    reason: t.string({ description: 'Kept as cancelReason; at most 1,000 characters.' }),
  }),
});

export const RetryJobInput = builder.inputType('RetryJobInput', {
  description: 'A job to be tried again as a new one.',
  fields: (t) => ({
    id: t.id({ required: true, description: "The job's global id or plain UUID." }),
    idempotencyKey: t.string({ description: 'As in CreateJobInput.' }),
  }),
});

export const ClaimJobsInput = builder.inputType('ClaimJobsInput', {
  description: 'What a worker asks for.',
  fields: (t) => ({
    types: t.stringList({ required: true, description: 'Names of job types, 1 to 100.' }),
    jobIds: t.idList({ description: 'Only these jobs, where given: to take a particular one by hand. At most 100.' }),
    limit: t.int({ description: '1 to 100; 1 where not given.' }),
    workerId: t.string({ required: true, description: 'Stands in the attempts; 1 to 200 characters.' }),
    waitSeconds: t.int({ description: '0 to 30: answers as soon as there is work. 0 where not given.' }),
  }),
});

export const ReportProgressInput = builder.inputType('ReportProgressInput', {
  description: 'What is left out stays as it was; null clears it.',
  fields: (t) => ({
    token: t.string({ required: true, description: "The lease's." }),
    step: t.string({ description: 'Machine name of the current step; at most 200 characters.' }),
    message: t.string({ description: 'Sentence for a person; at most 2,000 characters.' }),
    percentage: t.float({ description: '0 to 100; a lower one than before shows the higher one.' }),
  }),
});

export const CompleteJobInput = builder.inputType('CompleteJobInput', {
  description: 'Idempotent: the same token and output again, after a lost reply, answers the same.',
  fields: (t) => ({
    token: t.string({ required: true, description: "The lease's." }),
    output: t.field({ type: 'JSON', description: 'The result, any JSON value; null where not given.' }),
  }),
});

export const FailJobInput = builder.inputType('FailJobInput', {
  description: 'An attempt that failed.',
  fields: (t) => ({
    token: t.string({ required: true, description: "The lease's." }),
    code: t.string({ required: true, description: 'Stable machine code, for example PROCESSING_ERROR.' }),
    message: t.string({ required: true, description: 'Sentence for a person; 1 to 10,000 characters.' }),
    retryable: t.boolean({ description: 'False ends the job whatever attempts are left. True where not given.' }),
  }),
});

export const ReleaseJobInput = builder.inputType('ReleaseJobInput', {
  description: 'Hands the attempt back unharmed, as a worker that shuts down does: it does not count as failed.',
  fields: (t) => ({ token: t.string({ required: true, description: "The lease's." }) }),
});

export const CreateAccessTokenInput = builder.inputType('CreateAccessTokenInput', {
  description: 'Exactly one of jobId and tag.',
  fields: (t) => ({
    jobId: t.id({ description: "The job that the token opens: its global id or plain UUID." }),
    tag: t.string({ description: 'The token opens the jobs that bear this tag; 1 to 100 characters.' }),
    ttlSeconds: t.int({ description: '60 to 86,400; 900 where not given.' }),
  }),
});

export const CreateWorkspaceInput = builder.inputType('CreateWorkspaceInput', {
  description: 'A tenant to be created.',
  fields: (t) => ({
    name: t.string({ required: true, description: '1 to 200 characters.' }),
    credits: t.int({ description: 'Its first grant; 0 where not given.' }),
    concurrencyLimit: t.int({ description: '1 to 10,000 jobs at once; unlimited where not given.' }),
  }),
});

export const GrantCreditsInput = builder.inputType('GrantCreditsInput', {
  description: "Credits to be added to a workspace's balance.",
  fields: (t) => ({
    workspaceId: t.id({ required: true, description: "The workspace's global id or plain UUID." }),
    amount: t.int({ required: true, description: 'At least 1.' }),
    idempotencyKey: t.string({ description: 'Same key and same amount within 24 hours: granted once.' }),
  }),
});

export const CreateApiKeyInput = builder.inputType('CreateApiKeyInput', {
  description: 'A key to be made or imported.',
  fields: (t) => ({
    workspaceId: t.id({ required: true, description: "The workspace's global id or plain UUID." }),
    name: t.string({ required: true, description: '1 to 200 characters.' }),
    scopes: t.field({ type: [ScopeType], required: true, description: 'At least one.' }),
    dialect: t.field({
      type: DialectType,
      description: 'The REST dialect whose key format this key has; NATIVE where not given.',
    }),
    secret: t.string({
      description:
        'Imports an existing key, so that an old client changes nothing but its base URL; made where not given. ' +
        '16 to 200 visible ASCII characters.',
    }),
  }),
});

export const RedeliverWebhookInput = builder.inputType('RedeliverWebhookInput', {
  description: 'A delivery to be sent again.',
  fields: (t) => ({ id: t.id({ required: true, description: "The delivery's global id." }) }),
});

export const RevokeApiKeyInput = builder.inputType('RevokeApiKeyInput', {
  description: 'A key to be ended.',
  fields: (t) => ({ id: t.id({ required: true, description: "The key's global id." }) }),
});
