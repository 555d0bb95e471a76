import { NotFoundError, ValidationError } from '../../errors.ts';
import { createAccessToken } from '../../workspaces/create-access-token.ts';
import { builder } from '../builder.ts';
import { requireJobId } from '../global-id.ts';
import { ScopeType } from '../types/api-key.ts';
import { mutation } from './mutation.ts';

const CreateAccessTokenInput = builder.inputType('CreateAccessTokenInput', {
  description: 'What the token opens, and what it may do there. Give exactly one of jobId, tag and tags.',
  fields: (t) => ({
    jobId: t.id({ description: "The job that the token opens: its global id or plain UUID." }),
    tag: t.string({ description: 'The token opens the jobs with this tag. 1 to 100 characters.' }),
    tags: t.stringList({ description: 'The jobs of every one of these tags, each by itself. 1 to 10, each of 1 to 100 characters.' }),
    scopes: t.field({
      type: [ScopeType],
      description:
        'READ where not given. WRITE, for tag or tags alone: creates jobs, onto which the first tag is forced, cancels and ' +
        "retries those of its tags, and reads workspace.credits. The caller's own at most, else FORBIDDEN; no others.",
    }),
    types: t.stringList({ description: 'With WRITE: types that it may create, 1 to 20; any where not given.' }),
    ttlSeconds: t.int({ description: '60 to 86,400. Default: 900.' }),
  }),
});

const CreateAccessTokenPayload = builder
  .objectRef<{ token: string; expiresAt: Date }>('CreateAccessTokenPayload')
  .implement({
    description: "A short-lived token for browsers, accepted wherever a key is. It never has more scopes than its creator.",
    fields: (t) => ({
      token: t.exposeString('token', { nullable: false, description: 'Goes where a key goes: `Authorization: Bearer TOKEN`.' }),
      expiresAt: t.expose('expiresAt', { type: 'DateTime', nullable: false, description: 'When it stops working.' }),
    }),
  });

mutation('createAccessToken', {
  scopes: ['READ', 'WRITE'],
  description: 'READ or WRITE. Creates a token with which a browser works without a key: for one job, or for the jobs of a tag or tags.',
  input: { type: CreateAccessTokenInput, description: 'What it opens.' },
  payload: CreateAccessTokenPayload,
  errors: [NotFoundError, ValidationError],
  resolve: async ({ jobId, ...rest }, { jobs, accessTokens, audit, viewer }) => {
    const uuid = jobId == null ? null : await requireJobId(jobs, viewer.workspaceId, jobId);
    const made = await createAccessToken(jobs, accessTokens, viewer, { ...rest, jobId: uuid });
    // Nobody gets a token that the audit does not know.
    await audit.write({
      workspaceId: viewer.workspaceId,
      action: 'access_token.create',
      by: viewer,
      target: uuid === null ? null : { type: 'Job', id: uuid },
      details: { ...rest, expiresAt: made.expiresAt.toISOString() },
    });
    return made;
  },
});
