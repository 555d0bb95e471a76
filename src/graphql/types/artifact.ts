import type { Artifact } from '../../files/artifacts.ts';
import { builder, globalIdDescription } from '../builder.ts';
import { toGlobalId } from '../global-id.ts';

export const ArtifactType = builder.objectRef<Artifact>('Artifact');

builder.objectType(ArtifactType, {
  description: 'A result file.',
  interfaces: [builder.nodeInterfaceRef()],
  fields: (t) => ({
    id: t.id({ nullable: false, description: globalIdDescription, resolve: ({ id }) => toGlobalId('Artifact', id) }),
    name: t.exposeString('name', {
      nullable: false,
      description: 'What it is to the job, for example video, thumbnail or subtitles; unique in the job.',
    }),
    filename: t.exposeString('filename', { nullable: false, description: 'What a download is saved as.' }),
    mediaType: t.exposeString('mediaType', { nullable: false, description: 'For example video/mp4.' }),
    bytes: t.expose('bytes', { type: 'BigInt', nullable: false, description: 'Its size.' }),
    sha256: t.exposeString('sha256', { nullable: false, description: 'SHA-256 in hex, of the bytes as stored.' }),
    url: t.field({
      type: 'URL',
      nullable: false,
      description: 'Signed at the moment of reading: whoever has it can download this file, with no key.',
      resolve: (artifact, _args, { links }) => links.sign(artifact),
    }),
    expiresAt: t.expose('expiresAt', {
      type: 'DateTime',
      nullable: false,
      description: "24 hours after the job's end. The URL and the file are gone then.",
    }),
  }),
});
