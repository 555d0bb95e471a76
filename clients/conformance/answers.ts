import type { Assignment, Call } from './assignment.ts';
import type { Desk } from './desk.ts';
import type { Files, Upload } from './files.ts';
import type { Purpose } from './trouble.ts';

/** Of one request. */
export interface Context {
  /** Aborted when the worker has broken it off. */
  gone: AbortSignal;
  /** Set where the connection is to break before the answer. */
  cut: boolean;
}

interface Args<Input> {
  input: Input;
}

interface ClaimInput {
  types: string[];
  workerId: string;
  limit?: number | null;
  waitSeconds?: number | null;
}

interface Told {
  token: string;
  artifacts?: { uploadId: string; name?: string | null }[] | null;
}

interface UploadInput {
  token?: string | null;
  filename: string;
  mediaType?: string | null;
  bytes?: string | number | null;
  sha256?: string | null;
}

interface Issue {
  path: string[];
  message: string;
}

/** The mutations that workers use, as the server answers them. The rest of the schema is not played. */
export function answersOf(desk: Desk, files: Files) {
  /** Notes a call for an attempt. @returns null where it is answered LEASE_LOST */
  const told = (field: string, purpose: Purpose, input: Told, context: Context): { assignment: Assignment; call: Call } | null => {
    const call = desk.note(field, purpose, input);
    context.cut ||= call.trouble?.kind === 'cut';
    const assignment = desk.lease(input.token);
    if (assignment === undefined) desk.faults.push(`${field} with a token that no lease has`);
    const holds = assignment?.take(call) ?? false;
    desk.look();
    return holds && assignment !== undefined ? { assignment, call } : null;
  };
  const renewed = (field: string) => ({ input }: Args<Told>, context: Context) => {
    const held = told(field, 'report', input, context);
    if (held === null) return leaseLost(desk, input.token);
    return { __typename: `${capital(field)}Payload`, expiresAt: expiry(held.assignment), sequence: held.assignment.calls.length };
  };
  const ended = (field: string, input: Told, context: Context) => {
    const issues = issuesOf(input, files);
    if (issues.length > 0) {
      desk.note(field, 'other', input);
      return invalid(issues);
    }
    const held = told(field, 'end', input, context);
    return held === null ? leaseLost(desk, input.token) : { __typename: `${capital(field)}Payload`, job: jobOf(held.assignment, files) };
  };
  const ending = (field: string) => ({ input }: Args<Told>, context: Context) => ended(field, input, context);
  return {
    claimJobs: async ({ input }: Args<ClaimInput>, context: Context) => {
      const issues = issuesOfClaim(input);
      if (issues.length > 0) {
        desk.faults.push(...issues.map(({ path, message }) => `claimJobs with ${path.at(-1)}: ${message}`));
        return invalid(issues);
      }
      const call = desk.note('claimJobs', 'claim', input);
      context.cut = call.trouble?.kind === 'cut';
      const leases = context.cut ? [] : await desk.claim(input, context.gone);
      return { __typename: 'ClaimJobsPayload', leases: leases.map((one) => leaseOf(one, files)) };
    },
    reportProgress: renewed('reportProgress'),
    appendLogs: renewed('appendLogs'),
    completeJob: ending('completeJob'),
    failJob: ending('failJob'),
    releaseJob: ending('releaseJob'),
    completeJobs: ({ input: { completions } }: Args<{ completions: Told[] }>, context: Context) => ({
      __typename: 'CompleteJobsPayload',
      results: completions.map((one) => ended('completeJob', one, context)),
    }),
    createUpload: ({ input }: Args<UploadInput>, context: Context) => {
      const { token = null, filename, mediaType, bytes, sha256 } = input;
      if (token !== null && told('createUpload', 'other', { token }, context) === null) return leaseLost(desk, token);
      const made = files.upload({
        token,
        filename,
        mediaType: mediaType ?? 'application/octet-stream',
        bytes: bytes == null ? null : Number(bytes),
        sha256: sha256 ?? null,
      });
      return { __typename: 'CreateUploadPayload', upload: uploadOf(made), uploadUrl: files.url('uploads', made.id) };
    },
  };
}

function issuesOfClaim({ types, workerId, limit, waitSeconds }: ClaimInput): Issue[] {
  return [
    ...within('types', types.length, 1, 100),
    ...within('workerId', workerId.length, 1, 200),
    ...within('limit', limit ?? 1, 1, 100),
    ...within('waitSeconds', waitSeconds ?? 0, 0, 30),
  ];
}

function within(name: string, value: number, least: number, most: number): Issue[] {
  return value >= least && value <= most ? [] : [{ path: ['input', name], message: `${value} is not ${least} to ${most}` }];
}

function issuesOf({ token, artifacts }: Told, files: Files): Issue[] {
  const names = (artifacts ?? []).map(({ name }) => name ?? 'file');
  return (artifacts ?? []).flatMap(({ uploadId }, index) => {
    const path = ['input', 'artifacts', String(index)];
    const upload = files.uploads.get(uploadId);
    if (upload === undefined || upload.token !== token) return [{ path: [...path, 'uploadId'], message: 'is no upload of this lease' }];
    if (!upload.complete) return [{ path: [...path, 'uploadId'], message: 'is not complete' }];
    return names.indexOf(names[index] ?? '') < index ? [{ path: [...path, 'name'], message: 'is the name of another' }] : [];
  });
}

function invalid(issues: Issue[]) {
  const message = issues.map(({ path, message: fault }) => `${path.join('.')}: ${fault}`).join('; ');
  return { __typename: 'ValidationError', code: 'VALIDATION_ERROR', message, issues };
}

function leaseLost(desk: Desk, token: string) {
  const job = desk.lease(token)?.job;
  return { __typename: 'LeaseLostError', code: 'LEASE_LOST', message: `The lease of ${job?.id ?? 'that job'} is over. Stop working on it.`, job: null };
}

function leaseOf(assignment: Assignment, files: Files) {
  const { token, seconds, job } = assignment;
  return {
    token,
    seconds,
    attempt: job.attempt,
    checkpoint: job.checkpoint,
    expiresAt: expiry(assignment),
    job: jobOf(assignment, files),
    files: job.files.map(({ reference, file }) => ({
      reference,
      url: files.url('files', file.id),
      filename: 'source.bin',
      mediaType: 'application/octet-stream',
      bytes: String(file.content.length),
      sha256: file.sha256,
    })),
  };
}

function jobOf(assignment: Assignment, files: Files) {
  const { id, type, input } = assignment.job;
  const now = new Date().toISOString();
  return {
    __typename: 'Job', id: `job_${id}`, uuid: id, type, input, status: assignment.status, version: assignment.calls.length + 2, dialect: 'GRAPHQL',
    creditsCharged: 1, creditsRefunded: 0, priority: 0, maxAttempts: 3, tags: [], createdAt: now, updatedAt: now, startedAt: now,
    artifacts: [], attempts: [], logs: { edges: [], nodes: [], droppedLines: 0 }, output: assignment.output,
    uploads: assignment.job.files.flatMap(({ reference }) => {
      const upload = files.uploads.get(reference.replace('upload:', ''));
      return upload === undefined ? [] : [uploadOf(upload)];
    }),
  };
}

function uploadOf({ id, filename, mediaType, bytes, sha256, complete, content }: Upload) {
  const expiresAt = new Date(Date.now() + 86_400_000).toISOString();
  return { __typename: 'Upload', id, filename, mediaType, bytes: bytes === null ? null : String(bytes), sha256, complete, receivedBytes: String(content.length), expiresAt };
}

function expiry({ seconds }: Assignment): string {
  return new Date(Date.now() + seconds * 1_000).toISOString();
}

function capital(name: string): string {
  return `${name.charAt(0).toUpperCase()}${name.slice(1)}`;
}
