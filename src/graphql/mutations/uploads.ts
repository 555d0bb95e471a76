import { LonghaulError, QuotaExceededError, ValidationError } from '../../errors.ts';
import type { UploadOrigin } from '../../files/uploads/create-upload.ts';
import type { Upload } from '../../files/uploads/upload.ts';
import { LeaseLostError } from '../../jobs/model/job-errors.ts';
import { submitterOf, workScope } from '../../workspaces/viewer.ts';
import { builder } from '../builder.ts';
import type { Seen } from '../queries/visible-job.ts';
import { UploadType } from '../types/upload.ts';
import { mutation } from './mutation.ts';

const CreateUploadInput = builder.inputType('CreateUploadInput', {
  description: 'The file that is to come.',
  fields: (t) => ({
    filename: t.string({ required: true, description: '1 to 255 characters, without a path.' }),
    mediaType: t.string({ description: 'One type, at most 200 characters; no range, no multipart; parameters in ASCII. Default: application/octet-stream.' }),
    bytes: t.field({ type: 'BigInt', description: 'Checked when it is complete, where given. At most MAX_ARTIFACT_BYTES.' }),
    sha256: t.string({ description: 'SHA-256 in hex; checked when it is complete, where given.' }),
    token: t.string({
      description: "For the result of an attempt: the lease's token. Such an upload ends with the lease unless completeJob takes it.",
    }),
  }),
});

const CreateUploadPayload = builder.objectRef<{ upload: Upload }>('CreateUploadPayload').implement({
  description: 'There is room for the file: send it.',
  fields: (t) => ({
    upload: t.expose('upload', {
      type: UploadType,
      nullable: false,
      description: "Goes into a job's input as upload:ID, or into completeJob.",
    }),
    uploadUrl: t.field({
      type: 'URL',
      nullable: false,
      description: 'Signed: whoever has it can send this one file, by tus 1.0 or in one PUT, with no other key.',
      resolve: ({ upload }, _args, { uploads }) => uploads.urlOf(upload),
    }),
  }),
});

mutation('createUpload', {
  scopes: ['WRITE', 'WORK', 'WORK_ALL'],
  forTokens: true,
  description: "WRITE, for the input of a job; WORK with a lease's token, for the result of its attempt. Makes room for a file, which is sent to uploadUrl.",
  input: { type: CreateUploadInput, description: 'The file.' },
  payload: CreateUploadPayload,
  errors: [LeaseLostError, QuotaExceededError, ValidationError],
  resolve: async ({ token, ...asked }, context) => ({ upload: await context.uploads.create(await originOf(context, token ?? null), asked) }),
});

/** @throws FORBIDDEN, LeaseLostError */
async function originOf({ jobs, viewer }: Seen, token: string | null): Promise<UploadOrigin> {
  const { workspaceId, scopes } = viewer;
  if (token === null) {
    if (!scopes.has('WRITE')) throw new LonghaulError('FORBIDDEN', 'Without WRITE, a key uploads the results of its attempts alone: give the token of a lease.');
    return { workspaceId, uploader: submitterOf(viewer), attempt: null };
  }
  if (!scopes.has('WORK') && !scopes.has('WORK_ALL')) {
    throw new LonghaulError('FORBIDDEN', 'To upload the result of an attempt needs WORK or WORK_ALL. For the input of a job, leave out the token.');
  }
  const lease = await jobs.heldLease(workScope(viewer), token);
  return { workspaceId: lease.workspaceId, uploader: null, attempt: { jobId: lease.jobId, leaseToken: lease.token } };
}
