import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { type GraphQLError, OperationTypeNode } from 'graphql';
import { describeError } from '../errors.ts';
import { whenClosed } from './live/when-closed.ts';
import type { Services } from '../services.ts';
import { secretIn } from '../workspaces/authenticate.ts';
import type { Viewer } from '../workspaces/viewer.ts';
import type { CredentialWatch } from './credential-watch.ts';
import { isPageRequest, renderPage } from './graphiql.ts';
import { answerTypes, negotiate, retryAfterOf, statusOf, streamTypes } from './http-answer.ts';
import { EventStream, type OpenStreams } from './live/event-stream.ts';
import type { Live } from './live/live.ts';
import type { LivePlan } from './live/plan.ts';
import { watchEvents } from './live/watch-events.ts';
import type { Operation } from './operation.ts';
import { type Operations, Refusal } from './operations.ts';
import { readBody, readQueryString } from './params.ts';
import { publicError } from './public-error.ts';

interface Parts {
  services: Services;
  operations: Operations;
  live: Live;
  streams: OpenStreams;
  credentials: CredentialWatch;
}

/** A GraphQL response body: an operation's result, or the reasons why it did not run. */
interface Answer {
  data?: unknown;
  errors?: readonly GraphQLError[] | undefined;
  extensions?: unknown;
}

/** GraphQL over HTTP, and over server-sent events (graphql-sse, distinct connections), at /graphql. */
export class GraphQLRoute {
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  mount(app: FastifyInstance): void {
    const { log } = this.#parts.services;
    void app.register(async (scope) => {
      // JSON only: an HTML form on another site cannot send it without a CORS preflight.
      scope.removeAllContentTypeParsers();
      scope.addContentTypeParser('application/json', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
      // Any origin may call, but without the browser's stored credentials: a page has to send a key explicitly.
      scope.addHook('onRequest', async (_request, reply) => void reply.header('access-control-allow-origin', '*'));
      scope.setErrorHandler((error, _request, reply) => {
        const { status, code, message } = describeError(error);
        if (status >= 500) log.error({ err: error }, 'a request failed');
        return reply.code(status).send({ errors: [{ message, extensions: { code } }] });
      });
      scope.options('/graphql', async (request, reply) => allow(request, reply));
      scope.route({ method: ['GET', 'POST'], url: '/graphql', handler: (request, reply) => this.#answer(request, reply) });
    });
  }

  async #answer(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    const { services, operations } = this.#parts;
    if (services.config.graphiql && isPageRequest(request)) return reply.type('text/html').send(renderPage());
    let viewer: Viewer | null;
    try {
      viewer = await operations.caller({ secret: secretIn(request.headers), address: request.ip });
    } catch (error) {
      return this.#refuse(reply, [publicError(error, services.log)], 'application/json');
    }
    const type = negotiate(request.headers.accept, answerTypes);
    // A malformed request is 400 whatever the client accepts, so these may throw before the media type is checked.
    const asked = request.method === 'GET' ? readQueryString(request.url) : readBody(request.body);
    const operation = await operations.open(viewer, asked);
    if (operation instanceof Refusal) return this.#refuse(reply, operation.errors, type);
    const { live: plan } = operation;
    if (plan !== null) return this.#stream(request, reply, { operation, plan });
    if (type === null) return notAcceptable(reply, answerTypes);
    if (request.method === 'GET' && operation.kind === OperationTypeNode.MUTATION) {
      const message = 'A GET request cannot run a mutation. Send it as a POST.';
      return reply.code(405).header('allow', 'POST').send({ errors: [{ message, extensions: { code: 'BAD_USER_INPUT' } }] });
    }
    const gone = new AbortController();
    // Abort only if the client left early: abort() builds an error with a stack trace, even if nobody listens.
    reply.raw.once('close', () => {
      if (!reply.raw.writableFinished) gone.abort();
    });
    const result = await operation.execute({ signal: gone.signal });
    return this.#send(reply, result, type, statusOf(result.errors ?? [], 'data' in result, type));
  }

  /** Starts to answer a subscription as an event stream. */
  #stream(request: FastifyRequest, reply: FastifyReply, watched: { operation: Operation; plan: LivePlan }): FastifyReply {
    const { live, streams, credentials } = this.#parts;
    if (negotiate(request.headers.accept, streamTypes) === null) return notAcceptable(reply, streamTypes);
    reply.hijack();
    // The client may have disconnected while the key was looked up.
    if (reply.raw.closed) return reply;
    const { viewer } = watched.operation;
    if (viewer !== null) {
      credentials.add(reply, viewer, () => reply.raw.destroy());
      whenClosed(reply.raw, () => credentials.remove(reply));
    }
    void watchEvents(live, streams, request, reply.raw, watched);
    return reply;
  }

  #refuse(reply: FastifyReply, errors: readonly GraphQLError[], type: string | null): FastifyReply {
    const retryAfter = retryAfterOf(errors);
    if (retryAfter !== null) reply.header('retry-after', retryAfter);
    const status = statusOf(errors, false, type ?? 'application/json');
    // An event stream always starts with 200. For other statuses answer with JSON: SSE clients decide by the status whether
    // to reconnect.
    return this.#send(reply, { errors }, status === 200 ? type : type === 'text/event-stream' ? null : type, status);
  }

  #send(reply: FastifyReply, answer: Answer, type: string | null, status: number): FastifyReply {
    if (type !== 'text/event-stream') {
      return reply.code(status).type(`${type ?? 'application/json'}; charset=utf-8`).send(JSON.stringify(answer));
    }
    reply.hijack();
    if (reply.raw.closed) return reply;
    this.#parts.streams.add(reply.raw, 'events');
    new EventStream(reply.raw, this.#parts.live.stalled).answer(answer);
    return reply;
  }
}

/** Answers a CORS preflight. */
function allow({ headers }: FastifyRequest, reply: FastifyReply): FastifyReply {
  const asked = headers['access-control-request-headers'];
  if (asked !== undefined) reply.header('access-control-allow-headers', asked).header('vary', 'access-control-request-headers');
  return reply.code(204).header('access-control-allow-methods', 'GET, POST, OPTIONS').send();
}

function notAcceptable(reply: FastifyReply, types: readonly string[]): FastifyReply {
  const message = `This operation is answered as ${types.join(' or ')}. Name one of them in the Accept header.`;
  return reply
    .code(406)
    .header('accept', types.join(', '))
    .send({ errors: [{ message, extensions: { code: 'BAD_USER_INPUT' } }] });
}
