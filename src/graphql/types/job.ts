import type { Job } from '../../jobs/model/job.ts';
import { isBetweenAttempts, type JobStatus } from '../../jobs/model/state-machine.ts';
import { builder } from '../builder.ts';
import { pageCost, readPage } from '../connection.ts';
import { mainFile, ownFile } from '../../jobs/read/main-file.ts';
import { DialectType } from './dialect.ts';
import { toGlobalId } from '../global-id.ts';
import { findVisibleJob } from '../queries/visible-job.ts';
import { ArtifactType } from './artifact.ts';
import { JobAttemptType } from './job-attempt.ts';
import { JobErrorType } from './job-error.ts';
import { UploadType } from './upload.ts';
import { WebhookDeliveryConnection, WebhookDeliveryType } from './webhook-delivery.ts';

export const JobStatusType = builder.enumType('JobStatus', {
  description: 'The state of a job. The last three are final.',
  values: {
    PENDING: { description: 'Accepted and waiting: for a worker, for its runAt, or for the next attempt.' },
    RUNNING: { description: 'Leased by a worker.' },
    COMPLETED: { description: 'Ended with a result.' },
    FAILED: { description: 'Every attempt failed, or a worker declared the failure final.' },
    CANCELLED: { description: 'Cancelled by a client; its credits were refunded.' },
  } satisfies Record<JobStatus, { description: string }>,
});

const JobProgressType = builder.objectRef<NonNullable<Job['progress']>>('JobProgress').implement({
  description: "The current attempt's last report.",
  fields: (t) => ({
    step: t.exposeString('step', { description: 'Machine-readable name of the current step, for example transcribing.' }),
    message: t.exposeString('message', { description: 'A sentence for people.' }),
    percentage: t.exposeFloat('percentage', {
      description: '0 to 100. Never decreases within an attempt. Null while unknown.',
    }),
  }),
});

const JobRef = builder.objectRef<Job>('Job');
export const JobType = JobRef;

builder.objectType(JobRef, {
  description: 'One piece of long-running work. All fields are of the same version.',
  interfaces: [builder.nodeInterfaceRef()],
  fields: (t) => ({
    id: t.id({
      nullable: false,
      description: 'The same id works in every query, mutation and subscription.',
      resolve: ({ id }) => toGlobalId('Job', id),
    }),
    uuid: t.exposeString('id', {
      nullable: false,
      description: "The same job's plain UUID (version 7), as the REST dialects show it.",
    }),
    type: t.exposeString('type', { nullable: false, description: 'Name of a job type: see `jobTypes`.' }),
    status: t.expose('status', { type: JobStatusType, nullable: false, description: 'Its current state.' }),
    version: t.exposeInt('version', {
      nullable: false,
      description: 'Grows by at least one with every visible change of this job. Subscriptions can resume from it.',
    }),
    input: t.field({
      type: 'JSONObject',
      nullable: false,
      description: "As it was submitted, but what its type marks x-secret is ••• everywhere but in a worker's lease. `revealInput` has it.",
      // Whoever claims a job is its worker. A job reached from that one is another one.
      resolve: (job, _args, { jobs }, { path }) => (path.prev?.typename === 'Lease' ? job.input : jobs.types.shown(job).input),
    }),
    progress: t.expose('progress', {
      type: JobProgressType,
      description: 'The last report of the current attempt; null before the first. Kept after the end.',
    }),
    output: t.expose('output', {
      type: 'JSON',
      nullable: true,
      description: 'Set when COMPLETED: any JSON value, usually an object.',
    }),
    error: t.expose('error', { type: JobErrorType, description: 'Set when FAILED.' }),
    tags: t.exposeStringList('tags', { nullable: false, description: 'At most 20, each of 1 to 100 characters.' }),
    priority: t.exposeInt('priority', {
      nullable: false,
      description: 'Minutes of head start over jobs of the same workspace and type, -100 to 100.',
    }),
    attempts: t.field({
      type: [JobAttemptType],
      nullable: false,
      description: 'In order, including released ones.',
      resolve: ({ id }, _args, { loaders }) => loaders.attempts.load(id),
    }),
    maxAttempts: t.exposeInt('maxAttempts', { nullable: false, description: 'Number of failed attempts after which it is FAILED.' }),
    concurrencyKey: t.exposeString('concurrencyKey', {
      nullable: true,
      description: "Of the workspace's jobs with this key, at most concurrencyLimit run at once, whatever their types.",
    }),
    concurrencyLimit: t.exposeInt('concurrencyLimit', {
      nullable: true,
      description: "What it was created with, 1 to 1,000. The key's limit is that of the job created last.",
    }),
    creditsCharged: t.exposeInt('creditsCharged', { nullable: false, description: 'Credits charged at creation.' }),
    creditsRefunded: t.exposeInt('creditsRefunded', {
      nullable: false,
      description: 'Credits refunded when it FAILED or was CANCELLED; 0 before.',
    }),
    downloadUrl: t.field({
      type: 'URL',
      nullable: true,
      description:
        'The main result file: the job\'s own, signed at the time of reading and null once it has expired; else the first URL ' +
        'in the output under downloadUrl, videoUrl, audioUrl, fileUrl (or the same with an underscore) or url.',
      resolve: (job, _args, { links, clock }) => mainFile(job, links, clock.now())?.url ?? null,
    }),
    downloadUrlExpiresAt: t.field({
      type: 'DateTime',
      nullable: true,
      description: "24 hours after the job's end; null for a URL of the output, and if downloadUrl is null.",
      resolve: (job, _args, { links, clock }) => mainFile(job, links, clock.now())?.expiresAt ?? null,
    }),
    uploads: t.field({
      type: [UploadType],
      nullable: false,
      description: 'Uploads that the input names (upload:ID), each once. Kept until the job has ended, and for 24 hours more, for a retry.',
      resolve: async ({ id, workspaceId }, _args, { loaders }) => {
        const named = await loaders.uploads.load({ id, workspaceId });
        return [...new Map(named.map(({ upload }) => [upload.id, upload])).values()];
      },
    }),
    artifacts: t.field({
      type: [ArtifactType],
      nullable: false,
      description: 'Result files, the main one first: downloadUrl is its url. Empty until COMPLETED, and when they have expired.',
      resolve: (job, _args, { links, clock, loaders }) =>
        ownFile(job, links, clock.now()) === null ? [] : loaders.artifacts.load({ id: job.id, workspaceId: job.workspaceId }),
    }),
    dialect: t.expose('dialect', { type: DialectType, nullable: false, description: 'The surface that it came through.' }),
    vendorId: t.string({
      nullable: true,
      description:
        "The id that the vendor's clients know it by, if that is not its UUID. Every query, mutation and REST route takes it.",
      resolve: (job, _args, { jobs }) => jobs.ids.vendorIdOf(job),
    }),
    clientReference: t.exposeString('clientReference', { description: "The submitter's own name for the job, if it gave one." }),
    retryOf: t.field({
      type: JobRef,
      nullable: true,
      description: 'The job that this one retries; null if the caller may not see that one.',
      resolve: ({ retryOfId: id }, _args, context) => (id === null ? null : findVisibleJob(context, id)),
    }),
    cancelReason: t.exposeString('cancelReason', { description: 'The reason given at cancellation, if any.' }),
    runAt: t.expose('runAt', {
      type: 'DateTime',
      nullable: true,
      description: 'The requested earliest start, if any.',
    }),
    nextAttemptAt: t.field({
      type: 'DateTime',
      nullable: true,
      description: 'Earliest start of the next attempt, while PENDING after a failed one.',
      resolve: (job) => (isBetweenAttempts(job.status, job.failedAttempts) ? job.dueAt : null),
    }),
    createdAt: t.expose('createdAt', { type: 'DateTime', nullable: false, description: 'When it was accepted.' }),
    startedAt: t.expose('startedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When its first attempt started.',
    }),
    finishedAt: t.expose('finishedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When it became COMPLETED, FAILED or CANCELLED.',
    }),
    updatedAt: t.expose('updatedAt', {
      type: 'DateTime',
      nullable: false,
      description: 'When its version last grew.',
    }),
    webhookDeliveries: t.connection(
      {
        type: WebhookDeliveryType,
        nullable: false,
        description: 'Deliveries to its webhook URL, oldest first. An access token cannot read them.',
        // The URL may contain a secret of the job's creator.
        authScopes: { key: true },
        complexity: pageCost,
        resolve: ({ id: jobId }, args, { cursors, loaders }, info) =>
          readPage({ cursors, list: `deliveries ${jobId}`, order: 'ASC', args, info }, (window) =>
            loaders.deliveries.load({ jobId, window }),
          ),
      },
      WebhookDeliveryConnection,
    ),
  }),
});
