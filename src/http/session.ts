import type { FastifyInstance, FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { Operations } from '../graphql/operations.ts';
import { LonghaulError } from '../errors.ts';
import { jsonType, parseJson } from '../json.ts';
import type { Services } from '../services.ts';
import type { PageSessions } from '../web/page-sessions.ts';
import { type KeyFault, UnauthenticatedError } from '../workspaces/authenticate.ts';

/** A key, or the code of the address that the first start prints. */
const asked = z.union([z.strictObject({ key: z.string().min(1) }), z.strictObject({ code: z.string().min(1) })]);

/** A key has at most a few hundred characters. */
const bodyLimit = 16_384;

/**
 * POST `/session` signs in at the page, with a key or a one-time code: 204 with the cookie of a session, or 401 and why not.
 * DELETE `/session` signs out: 204. Both for pages of this server's own origin alone.
 */
export function sessionRoutes(app: FastifyInstance, services: Services, operations: Operations, pages: PageSessions): void {
  const onRequest = async ({ raw }: FastifyRequest) => {
    if (!pages.own.sent(raw)) throw new LonghaulError('FORBIDDEN', 'Only the page of this server may sign in and out. Elsewhere, send a key with each request.');
  };
  const options = { config: { forPages: false }, bodyLimit, onRequest };
  void app.register(async (scope) => {
    // JSON only, as no form can send it.
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser(jsonType, { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
    scope.post('/session', options, async (request, reply) => {
      const apiKeyId = await signIn(services, operations, read(request.body), request.ip);
      return reply.code(204).headers({ 'cache-control': 'no-store', 'set-cookie': pages.cookie(await services.sessions.open(apiKeyId)) }).send();
    });
    scope.delete('/session', options, async (_request, reply) =>
      reply.code(204).headers({ 'cache-control': 'no-store', 'set-cookie': pages.cookie(null) }).send(),
    );
  });
}

function read(body: unknown): z.output<typeof asked> {
  try {
    if (body instanceof Uint8Array) return asked.parse(parseJson(body));
  } catch (error) {
    if (!(error instanceof SyntaxError || error instanceof z.ZodError)) throw error;
  }
  throw new LonghaulError('BAD_USER_INPUT', 'Send {"key": "…"}, or {"code": "…"}.');
}

/**
 * The key that somebody signs in with. Wrong ones count against the address, as everywhere, and a right one is a request of its key.
 *
 * @throws UnauthenticatedError, RateLimitedError
 */
async function signIn(services: Services, operations: Operations, given: z.output<typeof asked>, address: string): Promise<string> {
  if ('code' in given) {
    const apiKeyId = services.signInCode?.take(given.code, services.clock.now()) ?? null;
    if (apiKeyId !== null) return apiKeyId;
    await operations.countAddress(address);
    throw new LonghaulError('UNAUTHENTICATED', 'This sign-in was used already, or its hour is over. Sign in with a key.');
  }
  const viewer = await operations.caller({ secret: given.key, session: null, address }).catch((error: unknown) => {
    throw error instanceof UnauthenticatedError ? refusal(sentences[error.why]) : error;
  });
  if (viewer === null) throw refusal(sentences.missing);
  // Only access tokens are restricted: one is for a page of somebody else's, and for less than this one shows.
  if (viewer.restriction !== null) throw refusal(isToken);
  await operations.count(viewer);
  return viewer.apiKeyId;
}

/** In words for who reads the page: those of the API say how programs send a key. */
function refusal(sentence: string): LonghaulError {
  return new LonghaulError('UNAUTHENTICATED', sentence);
}

const isToken = 'This is an access token. Sign in with a key.';

const noSuchKey = 'No key like this works here. Check that it is whole, of this installation, and not for a REST dialect alone.';

const sentences: Record<KeyFault, string> = {
  missing: noSuchKey,
  unknown: noSuchKey,
  revoked: 'This key was revoked. Sign in with another one.',
  // A key does not expire: this was an access token.
  expired: isToken,
};
