import { NotFoundError, ValidationError } from '../errors.ts';
import { createAccessToken } from '../workspaces/create-access-token.ts';
import { builder } from './builder.ts';
import { parseId } from './global-id.ts';
import { CreateAccessTokenInput } from './inputs.ts';

const CreateAccessTokenPayload = builder
  .objectRef<{ token: string; expiresAt: Date }>('CreateAccessTokenPayload')
  .implement({
    description: "A short-lived token for browsers: accepted wherever a key is. The caller's own scopes at most.",
    fields: (t) => ({
      token: t.exposeString('token', { nullable: false, description: 'Reads and watches what it was asked for.' }),
      expiresAt: t.expose('expiresAt', { type: 'DateTime', nullable: false, description: 'When it stops working.' }),
    }),
  });

builder.mutationField('createAccessToken', (t) =>
  t.withAuth({ $all: { anyOf: ['READ'], key: true } }).field({
    type: CreateAccessTokenPayload,
    nullable: true,
    description: 'READ. Makes a token with which a browser watches one job, or the jobs of one tag, without a key.',
    errors: {
      types: [NotFoundError, ValidationError],
      union: { name: 'CreateAccessTokenResult', description: 'What createAccessToken answers.' },
    },
    args: { input: t.arg({ type: CreateAccessTokenInput, required: true, description: 'What it opens.' }) },
    resolve: (_root, { input: { jobId, ...rest } }, { database, accessTokens, viewer }) => {
      const uuid = jobId == null ? null : parseId('Job', jobId);
      if (jobId != null && uuid === null) throw new NotFoundError('Job');
      return createAccessToken(database, accessTokens, viewer, { ...rest, jobId: uuid });
    },
  }),
);
