import { LonghaulError, ValidationError } from '../../errors.ts';
import { LeaseLostError } from '../../jobs/model/job-errors.ts';
import { encodeLeaseToken } from '../../jobs/claim/lease-token.ts';
import type { Completion, CompletionOutcome } from '../../jobs/end/complete.ts';
import type { Job } from '../../jobs/model/job.ts';
import type { JobUpload } from '../../jobs/read/job-uploads.ts';
import { workScope } from '../../workspaces/viewer.ts';
import { builder } from '../builder.ts';
import { refuseLapsed } from '../credential-watch.ts';
import { parseId } from '../global-id.ts';
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

/** How long the URLs of a lease's files are good beyond its attempt, in milliseconds: for what is under way at its end. */
const marginOfFiles = 300_000;

const LeasedFile = builder.objectRef<JobUpload>('LeasedFile').implement({
  description: 'A file that the input of a leased job names.',
  fields: (t) => ({
    reference: t.exposeString('reference', { nullable: false, description: 'As it stands in the input: upload:ID.' }),
    url: t.field({
      type: 'URL',
      nullable: false,
      description: "Signed: gives the file, with ranges, for as long as the lease's attempt may take.",
      resolve: ({ upload, deadlineAt }, _args, { links, clock }) =>
        links.sign({ id: upload.id, expiresAt: new Date((deadlineAt ?? clock.now()).getTime() + marginOfFiles) }),
    }),
    filename: t.string({ nullable: false, description: 'As it was announced.', resolve: ({ upload }) => upload.filename }),
    mediaType: t.string({ nullable: false, description: 'As it was announced.', resolve: ({ upload }) => upload.mediaType }),
    bytes: t.field({ type: 'BigInt', nullable: false, description: 'Its size.', resolve: ({ upload }) => upload.receivedBytes }),
    sha256: t.string({ nullable: false, description: 'In hex.', resolve: ({ upload }) => upload.sha256 ?? '' }),
  }),
});

const Lease = builder.objectRef<LeaseShape>('Lease').implement({
  description: 'The right to work on one attempt at a job.',
  fields: (t) => ({
    job: t.expose('job', { type: JobType, nullable: false, description: 'The job, RUNNING since this claim; whole also without READ.' }),
    attempt: t.int({
      nullable: false,
      description: 'Number of the attempt, 1 for the first.',
      resolve: ({ job }) => job.attempt,
    }),
    files: t.field({
      type: [LeasedFile],
      nullable: false,
      description: "The files that the input names, each with a URL that is good for the lease's whole attempt.",
      // Each once, however often the input names it.
      resolve: async ({ job }, _args, { loaders }) => [...new Map((await loaders.uploads.load(job)).map((file) => [file.reference, file])).values()],
    }),
    checkpoint: t.field({
      type: 'JSON',
      nullable: true,
      description: 'The last checkpoint that an earlier attempt reported; null where none did.',
      resolve: ({ job }, _args, { loaders }) => (job.attempt === 1 ? null : loaders.checkpoint.load(job)),
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
    // What it got before, it got rightly.
    if (started.length === 0) refuseLapsed(signal);
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
    checkpoint: t.field({
      type: 'JSON',
      description:
        'What the next attempt needs to go on from here, at most 65,536 bytes as JSON. Replaces the last one; kept until the job has ended. No reader is shown it.',
    }),
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

const ArtifactInput = builder.inputType('ArtifactInput', {
  description: 'An upload that becomes a file of the job.',
  fields: (t) => ({
    uploadId: t.id({ required: true, description: "Of an upload that is complete and was made with this lease's token." }),
    name: t.string({ description: 'What it is to the job, 1 to 100 characters. Two of one name are a ValidationError. Default: file.' }),
  }),
});

const CompleteJobInput = builder.inputType('CompleteJobInput', {
  description: 'Idempotent: after a lost response, the same token, output and artifacts get the same answer.',
  fields: (t) => ({
    token: t.string({ required: true, description: "The lease's." }),
    output: t.field({ type: 'JSON', description: 'The result, any JSON value. Default: null.' }),
    artifacts: t.field({
      type: [ArtifactInput],
      description:
        "Uploads made with this lease's token that become the job's files, the main one first. At most 100. All of them do, or the job " +
        'does not complete. Those that are not named end with the lease.',
    }),
  }),
});

function completionOf({ artifacts, ...completion }: typeof CompleteJobInput.$inferInput): Completion {
  return {
    ...completion,
    artifacts: artifacts?.map(({ uploadId, name }) => ({ uploadId: parseId('Upload', String(uploadId)) ?? String(uploadId), name })),
  };
}

const CompleteJobPayload = jobPayload('CompleteJobPayload', 'The job is COMPLETED.');

const CompleteJobResult = mutation('completeJob', {
  scopes: ['WORK', 'WORK_ALL'],
  description: 'WORK. Ends a job with its result.',
  input: { type: CompleteJobInput, description: 'The result.' },
  payload: CompleteJobPayload,
  errors: [LeaseLostError, ValidationError],
  resolve: async (input, { jobs, viewer }) => ({
    job: await jobs.complete(workScope(viewer), completionOf(input)),
  }),
});

const CompleteJobsInput = builder.inputType('CompleteJobsInput', {
  description: '1 to 1000 completions, each with an outcome of its own. They share statements, so that many cost little more than one.',
  fields: (t) => ({
    completions: t.field({ type: [CompleteJobInput], required: true, description: '1 to 1000. Of two with one token the first counts.' }),
  }),
});

const CompleteJobsPayload = builder.objectRef<{ outcomes: CompletionOutcome[] }>('CompleteJobsPayload').implement({
  description: 'What became of each completion.',
  fields: (t) => ({
    results: t.field({
      type: [CompleteJobResult],
      nullable: false,
      description: "In the order of the input. A ValidationError's paths begin with `completions` and the index.",
      // The mutation's own cost already multiplies by the number of completions.
      complexity: { field: 1, multiplier: 1 },
      resolve: ({ outcomes }) => outcomes.map((outcome) => (outcome instanceof Error ? outcome : { job: outcome })),
    }),
  }),
});

mutation('completeJobs', {
  scopes: ['WORK', 'WORK_ALL'],
  description: 'WORK. Ends 1 to 1000 jobs with their results. A completion that is refused keeps none of the others from its job.',
  input: { type: CompleteJobsInput, description: 'The results.' },
  payload: CompleteJobsPayload,
  errors: [ValidationError],
  size: (input) => Math.max(input.completions.length, 1),
  resolve: async ({ completions }, { jobs, viewer, errorCounts }) => {
    const outcomes = await jobs.completeMany(workScope(viewer), completions.map(completionOf));
    for (const outcome of outcomes) if (outcome instanceof LonghaulError) errorCounts.add(outcome.code);
    return { outcomes };
  },
});

const FailJobInput = builder.inputType('FailJobInput', {
  description: 'An attempt that failed.',
  fields: (t) => ({
    token: t.string({ required: true, description: "The lease's." }),
    code: t.string({ required: true, description: 'Stable machine-readable code, for example PROCESSING_ERROR.' }),
    message: t.string({ required: true, description: 'A sentence for people. 1 to 10,000 characters.' }),
    retryable: t.boolean({ description: 'False fails the job even if attempts are left. Default: true.' }),
    retryAfterSeconds: t.int({ description: 'Not before so many seconds, in place of the usual backoff. 0 to 86,400.' }),
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
