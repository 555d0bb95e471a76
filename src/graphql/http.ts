import { Readable } from 'node:stream';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Services } from '../services.ts';
import { authenticate, secretIn } from '../workspaces/authenticate.ts';
import type { Viewer } from '../workspaces/viewer.ts';
import { describeError } from '../http/describe-error.ts';
import { whenClosed } from '../http/when-closed.ts';
import type { CredentialWatch } from './credential-watch.ts';
import { FastPath } from './fast-path.ts';
import { EventRoute } from './live/event-route.ts';
import type { OpenStreams } from './live/event-stream.ts';
import type { Live } from './live/live.ts';
import { createLoaders } from './loaders.ts';
import { publicError } from './public-error.ts';
import type { Yoga } from './yoga.ts';

/** GraphQL over HTTP and server-sent events (graphql-sse, distinct connections) at /graphql. */
export function graphqlRoute(
  app: FastifyInstance,
  services: Services,
  yoga: Yoga,
  live: Live,
  streams: OpenStreams,
  credentials: CredentialWatch,
): void {
  const eventRoute = new EventRoute(live, yoga, streams);
  const fastPath = new FastPath(yoga);
  void app.register(async (scope) => {
    // JSON alone: no form of a foreign page can send it without asking first.
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser('application/json', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));

    // Whatever is refused before GraphQL sees it is told in GraphQL's form, and to pages of other origins too.
    scope.setErrorHandler((error, _request, reply) => {
      const { status, code, message } = describeError(error);
      if (status >= 500) services.log.error({ err: error }, 'a request failed');
      return reply
        .code(status)
        .header('access-control-allow-origin', '*')
        .send({ errors: [{ message, extensions: { code } }] });
    });

    scope.route({
      method: ['GET', 'POST', 'OPTIONS'],
      url: '/graphql',
      handler: async (request, reply) => {
        const gone = new AbortController();
        // Only of who has left: aborting makes an error with its stack, even where nobody listens.
        reply.raw.once('close', () => {
          if (!reply.raw.writableFinished) gone.abort();
        });
        const { viewer, refusal } = await viewerOf(services, request);
        if (refusal !== null) return send(reply, refusal, streams);
        const context = {
          ...services,
          viewer,
          loaders: createLoaders(services.context.database),
          signal: gone.signal,
        };
        if (request.method === 'POST' && request.body instanceof Buffer) {
          const answer = await fastPath.answer(request.body, request.headers.accept, context);
          if (answer !== null) {
            return reply
              .code(answer.status)
              .header('access-control-allow-origin', '*')
              .headers(answer.headers)
              .send(answer.body);
          }
        }
        const watchCredentials = () => {
          if (viewer === null) return;
          credentials.add(reply, viewer, () => reply.raw.destroy());
          whenClosed(reply.raw, () => credentials.remove(reply));
        };
        if (viewer !== null && (await eventRoute.answer(request, reply, { ...context, viewer }))) {
          watchCredentials();
          return reply;
        }
        const response = await yoga.fetch(toFetchRequest(yoga, request, gone.signal), context);
        if (isStream(response)) watchCredentials();
        return send(reply, response, streams);
      },
    });
  });
}

async function viewerOf(
  services: Services,
  request: FastifyRequest,
): Promise<{ viewer: Viewer | null; refusal: Response | null }> {
  const secret = secretIn(request.headers);
  if (secret === null || request.method === 'OPTIONS') return { viewer: null, refusal: null };
  try {
    return { viewer: await authenticate(services, secret, 'NATIVE'), refusal: null };
  } catch (error) {
    const shown = publicError(error, services.log);
    const { http, ...extensions } = shown.extensions;
    const status = http?.status ?? 500;
    const body = { errors: [{ message: shown.message, extensions }] };
    const headers = { 'access-control-allow-origin': '*' };
    return { viewer: null, refusal: Response.json(body, { status, headers }) };
  }
}

function toFetchRequest(yoga: Yoga, request: FastifyRequest, signal: AbortSignal): Request {
  const headers = new Headers();
  for (const [name, value] of Object.entries(request.headers)) {
    for (const each of Array.isArray(value) ? value : [value]) if (each !== undefined) headers.append(name, each);
  }
  const body = request.body instanceof Buffer ? { body: new Uint8Array(request.body) } : {};
  const url = `${request.protocol}://${request.host}${request.url}`;
  return new yoga.fetchAPI.Request(url, { method: request.method, headers, signal, ...body });
}

function isStream({ headers }: Response): boolean {
  return /^(text\/event-stream|multipart\/mixed)/.test(headers.get('content-type') ?? '');
}

async function send(reply: FastifyReply, response: Response, streams: OpenStreams): Promise<FastifyReply> {
  reply.code(response.status);
  for (const [name, value] of response.headers) reply.header(name, value);
  if (response.body === null) return reply.send();
  if (!isStream(response)) return reply.send(await response.text());
  streams.add(reply.raw, 'other');
  // Proxies that gather answers would hold every event back.
  reply.header('x-accel-buffering', 'no');
  return reply.send(Readable.from(response.body));
}
