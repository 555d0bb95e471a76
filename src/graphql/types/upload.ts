import { isComplete, type Upload } from '../../files/uploads/upload.ts';
import { builder, globalIdDescription } from '../builder.ts';
import { toGlobalId } from '../global-id.ts';

/** A day in milliseconds. */
const day = 86_400_000;

/**
 * When its link ends, if the file is not gone by then. What a job has taken is kept beyond its own expiry: then at the end of the next day,
 * so that the link stays the same for as long as somebody looks at it.
 */
function linkedUntil({ expiresAt }: Upload, now: Date): Date {
  return expiresAt > now ? expiresAt : new Date(Math.ceil(now.getTime() / day + 1) * day);
}

export const UploadType = builder.objectRef<Upload>('Upload');

builder.objectType(UploadType, {
  description: 'A file on its way in: the input of a job, or the result of an attempt.',
  interfaces: [builder.nodeInterfaceRef()],
  fields: (t) => ({
    id: t.id({ nullable: false, description: globalIdDescription, resolve: ({ id }) => toGlobalId('Upload', id) }),
    filename: t.exposeString('filename', { nullable: false, description: '1 to 255 characters.' }),
    mediaType: t.exposeString('mediaType', { nullable: false, description: 'As announced; application/octet-stream where it was not.' }),
    bytes: t.expose('announcedBytes', { type: 'BigInt', nullable: true, description: 'As announced; null where it was not.' }),
    receivedBytes: t.expose('receivedBytes', {
      type: 'BigInt',
      nullable: false,
      description: 'What is stored for certain. While it is sent, this is some seconds behind.',
    }),
    sha256: t.exposeString('sha256', { nullable: true, description: 'SHA-256 in hex, of what was received. Null until complete.' }),
    complete: t.boolean({ nullable: false, description: 'Whether all of it was received.', resolve: isComplete }),
    url: t.field({
      type: 'URL',
      nullable: true,
      description: 'READ. Signed at the moment of reading: whoever has it can download this file, with no key. Null until complete. An access token cannot read it.',
      authScopes: { $all: { anyOf: ['READ'], key: true } },
      resolve: (upload, _args, { links, clock }) => (isComplete(upload) ? links.sign({ id: upload.id, expiresAt: linkedUntil(upload, clock.now()) }) : null),
    }),
    expiresAt: t.expose('expiresAt', {
      type: 'DateTime',
      nullable: false,
      description: 'Removed then, unless a job has taken it by then. Moves on while it is sent, and until 24 hours after the end of the last job that names it.',
    }),
  }),
});
