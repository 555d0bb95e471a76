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

/** What is sent in place of, or as, the answer of an operation. */
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
      // JSON alone: no form of a foreign page can send it without asking first.
      scope.removeAllContentTypeParsers();
      scope.addContentTypeParser('application/json', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
      // Any page may ask, none with the browser's own credentials: a key is sent on purpose or not at all.
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
    // What is no GraphQL request at all is 400 for every client, and needs no media type of GraphQL's.
    const asked = request.method === 'GET' ? readQueryString(request.url) : readBody(request.body);
    const operation = await operations.open(viewer, asked);
    if (operation instanceof Refusal) return this.#refuse(reply, operation.errors, type);
    const { live: plan } = operation;
    if (plan !== null) return this.#stream(request, reply, { operation, plan });
    if (type === null) return notAcceptable(reply, answerTypes);
    if (request.method === 'GET' && operation.kind === OperationTypeNode.MUTATION) {
      const message = 'A GET carries out no mutations. Send it as a POST.';
      return reply.code(405).header('allow', 'POST').send({ errors: [{ message, extensions: { code: 'BAD_USER_INPUT' } }] });
    }
    const gone = new AbortController();
    // Only of who has left: aborting makes an error with its stack, even where nobody listens.
    reply.raw.once('close', () => {
      if (!reply.raw.writableFinished) gone.abort();
    });
    const result = await operation.execute({ signal: gone.signal });
    return this.#send(reply, result, type, statusOf(result.errors ?? [], 'data' in result, type));
  }

  /** A subscription, from its acceptance to whatever ends it. */
  #stream(request: FastifyRequest, reply: FastifyReply, watched: { operation: Operation; plan: LivePlan }): FastifyReply {
    const { live, streams, credentials } = this.#parts;
    if (negotiate(request.headers.accept, streamTypes) === null) return notAcceptable(reply, streamTypes);
    reply.hijack();
    // It may have been closed while the key was looked up.
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
    // A stream can only begin with 200, and its clients read the status of a refusal to know whether to come back.
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

/** The answer to a browser that asks before it sends a request with a key. */
function allow({ headers }: FastifyRequest, reply: FastifyReply): FastifyReply {
  const asked = headers['access-control-request-headers'];
  if (asked !== undefined) reply.header('access-control-allow-headers', asked).header('vary', 'access-control-request-headers');
  return reply.code(204).header('access-control-allow-methods', 'GET, POST, OPTIONS').send();
}

function notAcceptable(reply: FastifyReply, types: readonly string[]): FastifyReply {
  const message = `This operation is answered as ${types.join(' or ')}. Name one of them in the header Accept.`;
  return reply
    .code(406)
    .header('accept', types.join(', '))
    .send({ errors: [{ message, extensions: { code: 'BAD_USER_INPUT' } }] });
}
