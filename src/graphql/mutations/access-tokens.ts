import { NotFoundError, ValidationError } from '../../errors.ts';
import { createAccessToken } from '../../workspaces/create-access-token.ts';
import { builder } from '../builder.ts';
import { requireJobId } from '../global-id.ts';
import { mutation } from './mutation.ts';

const CreateAccessTokenInput = builder.inputType('CreateAccessTokenInput', {
  description: 'What the token opens. Give exactly one of jobId and tag.',
  fields: (t) => ({
    jobId: t.id({ description: "The job that the token opens: its global id or plain UUID." }),
    tag: t.string({ description: 'The token opens the jobs with this tag. 1 to 100 characters.' }),
    ttlSeconds: t.int({ description: '60 to 86,400. Default: 900.' }),
  }),
});

const CreateAccessTokenPayload = builder
  .objectRef<{ token: string; expiresAt: Date }>('CreateAccessTokenPayload')
  .implement({
    description: "A short-lived token for browsers, accepted wherever a key is. It never has more scopes than its creator.",
    fields: (t) => ({
      token: t.exposeString('token', { nullable: false, description: 'Reads and watches the given job or tag.' }),
      expiresAt: t.expose('expiresAt', { type: 'DateTime', nullable: false, description: 'When it stops working.' }),
    }),
  });

mutation('createAccessToken', {
  scopes: ['READ'],
  needsKey: true,
  description: 'READ. Creates a token with which a browser can watch one job, or the jobs of one tag, without a key.',
  input: { type: CreateAccessTokenInput, description: 'What it opens.' },
  payload: CreateAccessTokenPayload,
  errors: [NotFoundError, ValidationError],
  resolve: async ({ jobId, ...rest }, { jobs, accessTokens, viewer }) => {
    const uuid = jobId == null ? null : await requireJobId(jobs, viewer.workspaceId, jobId);
    return createAccessToken(jobs, accessTokens, viewer, { ...rest, jobId: uuid });
  },
});
