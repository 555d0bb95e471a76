import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { GraphQLError, OperationTypeNode } from 'graphql';
import { BodyTooLargeError, describeError, isBodyTooLarge } from '../errors.ts';
import { whenClosed } from './live/when-closed.ts';
import type { Services } from '../services.ts';
import type { PageSessions } from '../web/page-sessions.ts';
import { vary } from '../web/vary.ts';
import { jsonType } from '../json.ts';
import { lapsedError, secretIn } from '../workspaces/authenticate.ts';
import type { Viewer } from '../workspaces/viewer.ts';
import type { CredentialWatch } from './credential-watch.ts';
import { GraphiQL, isPageRequest } from './graphiql.ts';
import { answerTypes, errorTypeOf, isLenient, negotiate, retryAfterOf, statusOf, streamTypes } from './http-answer.ts';
import { EventStream, type OpenStreams, streamHeaders } from './live/event-stream.ts';
import type { Live } from './live/live.ts';
import type { LivePlan } from './live/plan.ts';
import { watchEvents } from './live/watch-events.ts';
import type { Operation } from './operation.ts';
import { type Operations, Refusal } from './operations.ts';
import { readBody, readQueryString } from './params.ts';
import { publicError } from './public-error.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** Who sent a GraphQL request; null without a key. */
    viewer?: Viewer | null;
    /** Set for an operation that claims jobs: how long it takes says nothing of the server. */
    claims?: boolean;
  }
}

interface Parts {
  services: Services;
  operations: Operations;
  live: Live;
  streams: OpenStreams;
  credentials: CredentialWatch;
  pages: PageSessions;
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
  readonly #page: GraphiQL | null;

  constructor(parts: Parts) {
    this.#parts = parts;
    this.#page = parts.services.config.graphiql ? new GraphiQL() : null;
  }

  mount(app: FastifyInstance): void {
    const { log } = this.#parts.services;
    this.#page?.mount(app);
    void app.register(async (scope) => {
      // JSON only: an HTML form on another site cannot send it without a CORS preflight.
      scope.removeAllContentTypeParsers();
      scope.decorateRequest('claims', false);
      scope.addContentTypeParser(jsonType, { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
      scope.setErrorHandler((error, request, reply) => {
        const { status, code, message } = describeError(isBodyTooLarge(error) ? new BodyTooLargeError(request.routeOptions.bodyLimit) : error);
        if (status >= 500) log.error({ err: error }, 'a request failed');
        return this.#refuseRequest(request, reply, status, new GraphQLError(message, { extensions: { code } }));
      });
      scope.decorateRequest('viewer', null);
      scope.route({
        method: ['GET', 'HEAD', 'POST'],
        url: '/graphql',
        onRequest: (request, reply) => this.#admit(request, reply),
        handler: (request, reply) => this.#answer(request, reply),
      });
    });
  }

  /** Looks at the key before the body is read. */
  async #admit(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply | undefined> {
    const { services, operations, pages } = this.#parts;
    if (this.#page !== null && isPageRequest(request)) {
      vary(reply, 'Accept');
      return this.#page.send(reply);
    }
    try {
      request.viewer = await operations.caller({ secret: secretIn(request.headers), session: pages.of(request.raw), address: request.ip });
      return undefined;
    } catch (error) {
      return this.#refuse(request, reply, [publicError(error, services)]);
    }
  }

  async #answer(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    const { operations, credentials } = this.#parts;
    const { viewer = null } = request;
    // A malformed request is 400 whatever the client accepts, so these may throw before the media type is checked.
    const asked = request.method === 'POST' ? readBody(request.body) : readQueryString(request.url);
    const operation = await operations.open(viewer, asked);
    if (operation instanceof Refusal) return this.#refuse(request, reply, operation.errors);
    request.claims = operation.claims;
    const { live: plan } = operation;
    if (plan !== null) return this.#stream(request, reply, { operation, plan });
    const type = negotiate(request.headers.accept, answerTypes);
    if (type === null) return this.#notAcceptable(request, reply, answerTypes);
    if (request.method !== 'POST' && operation.kind === OperationTypeNode.MUTATION) {
      return this.#refuseRequest(request, reply.header('allow', 'POST'), 405, refusal(`A ${request.method} request cannot run a mutation. Send it as a POST.`));
    }
    const gone = new AbortController();
    // Abort only if the client left early: abort() builds an error with a stack trace, even if nobody listens.
    reply.raw.once('close', () => {
      if (!reply.raw.writableFinished) gone.abort();
    });
    // What waits for work ends with its key.
    if (operation.claims && viewer !== null) credentials.add(gone, viewer, (lapse) => gone.abort(lapsedError(viewer, lapse)));
    const result = await operation.execute({ signal: gone.signal }).finally(() => credentials.remove(gone));
    return this.#send(request, reply, result, type, statusOf(result.errors ?? [], 'data' in result, isLenient(request.headers.accept, type)));
  }

  /** Starts to answer a subscription as an event stream. */
  #stream(request: FastifyRequest, reply: FastifyReply, watched: { operation: Operation; plan: LivePlan }): FastifyReply {
    const { live, streams, credentials } = this.#parts;
    if (negotiate(request.headers.accept, streamTypes) === null) return this.#notAcceptable(request, reply, streamTypes);
    if (request.method === 'HEAD') return forCallerAlone(reply).headers(streamHeaders).send();
    forCallerAlone(reply).hijack();
    // The client may have disconnected while the key was looked up.
    if (reply.raw.closed) return reply;
    const { viewer } = watched.operation;
    if (viewer !== null) {
      credentials.add(reply, viewer, () => reply.raw.destroy());
      whenClosed(reply.raw, () => credentials.remove(reply));
    }
    void watchEvents(live, streams, request, reply, watched);
    return reply;
  }

  #refuse(request: FastifyRequest, reply: FastifyReply, errors: readonly GraphQLError[]): FastifyReply {
    const { accept } = request.headers;
    const type = negotiate(accept, answerTypes);
    return this.#send(request, reply, { errors }, type, statusOf(errors, false, isLenient(accept, type)));
  }

  /** Refuses what is wrong with the HTTP request, not with its operation. */
  #refuseRequest({ headers }: FastifyRequest, reply: FastifyReply, status: number, error: GraphQLError): FastifyReply {
    return sendJson(reply, { errors: [error] }, errorTypeOf(headers.accept), status);
  }

  #notAcceptable(request: FastifyRequest, reply: FastifyReply, types: readonly string[]): FastifyReply {
    const message = `This operation is answered as ${types.join(' or ')}. Name one of them in the Accept header.`;
    return this.#refuseRequest(request, reply.header('accept', types.join(', ')), 406, refusal(message));
  }

  /** @param type as it was negotiated; an error by its status is never a stream */
  #send({ method, headers }: FastifyRequest, reply: FastifyReply, answer: Answer, type: string | null, status: number): FastifyReply {
    if (type === null || status !== 200) return sendJson(reply, answer, errorTypeOf(headers.accept), status);
    if (type !== 'text/event-stream') return sendJson(reply, answer, type, status);
    if (method === 'HEAD') return forCallerAlone(reply).headers(streamHeaders).send();
    forCallerAlone(reply).hijack();
    if (reply.raw.closed) return reply;
    this.#parts.streams.add(reply.raw, 'events');
    new EventStream(reply, this.#parts.live.stalled).answer(answer);
    return reply;
  }
}

/** An answer is for this caller alone. */
function forCallerAlone(reply: FastifyReply): FastifyReply {
  vary(reply, 'Accept, Authorization, X-Api-Key, Cookie');
  return reply.header('cache-control', 'no-store');
}

function sendJson(reply: FastifyReply, answer: Answer, type: string, status: number): FastifyReply {
  const retryAfter = retryAfterOf(answer.errors ?? []);
  if (retryAfter !== null) reply.header('retry-after', retryAfter);
  return forCallerAlone(reply).code(status).type(`${type}; charset=utf-8`).send(JSON.stringify(answer));
}

function refusal(message: string): GraphQLError {
  return new GraphQLError(message, { extensions: { code: 'BAD_USER_INPUT' } });
}
