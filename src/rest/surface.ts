import type { FastifyInstance, FastifyReply, FastifyRequest, onRequestAsyncHookHandler } from 'fastify';
import type { MeteredRequest } from '../http/metrics.ts';
import type { Services } from '../services.ts';
import { answer, type Answer, commonHeaders, jsonType, send } from './core/answer.ts';
import { Call } from './core/call.ts';
import { callerOf } from './core/caller.ts';
import type { RestDialect } from './core/rest-dialect.ts';
import { dialects } from './dialects.ts';
import { Dispatch, routesOn } from './core/dialect-choice.ts';
import { Notices } from './core/sunset-notices.ts';
import { rateLimitHeaders, refuseTooMany } from './core/limit-headers.ts';
import { type Refusal, RefusedError, refusalOf } from './core/refusal.ts';
import { refusalAnswer } from './core/refusal-answer.ts';
import { Holds } from './core/holds.ts';
import { type Route, routerPath } from './core/rest-route.ts';
import { ShownJobs } from './core/shown-jobs.ts';

/** Where nothing tells whose client it is: a body that those of Vidocu and of VideoConduit both understand. */
const unionUnauthorized = answer(401, {
  error: { code: 'authentication_error', message: 'Invalid or missing API key' },
  detail: 'Invalid or missing API key',
  code: 'unauthorized',
});

/** The REST dialects on an HTTP server: each under its prefix, and all at the root, as their vendors write the paths. */
export class RestSurface {
  readonly #services: Services;
  readonly #dispatch: Dispatch;
  readonly #holds: Holds;
  readonly #notices: Notices;
  readonly #shared: ConstructorParameters<typeof Call>[0];

  constructor(services: Services) {
    this.#services = services;
    this.#holds = new Holds(services.feed);
    this.#shared = { services, holds: this.#holds, shown: new ShownJobs() };
    this.#notices = new Notices(services.config);
    this.#dispatch = new Dispatch(dialects, services.config.compatHosts);
  }

  mount(app: FastifyInstance): void {
    void app.register(async (scope) => {
      // Bodies are read after the key was looked at, and refused in the dialect's words.
      scope.removeAllContentTypeParsers();
      scope.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
      scope.decorateRequest('call', null);
      scope.setErrorHandler((error, request, reply) => this.#fail(error, request, reply));
      for (const dialect of dialects) {
        for (const route of dialect.routes) {
          const path = dialect.prefix + routerPath(route.path);
          this.#add(scope, route.method, path, async (request, reply) => this.#open(request, reply, dialect, route));
        }
      }
      for (const path of new Set(dialects.flatMap(({ routes }) => routes.map((route) => routerPath(route.path))))) {
        this.#addAtRoot(scope, path);
      }
    });
  }

  /** Answers those whose answer is held. May be called twice. */
  stop(): void {
    this.#holds.stop();
  }

  /** Answers what reached no route but is a dialect's, by prefix, host, path or key; null for anything else. */
  stray(request: FastifyRequest, reply: FastifyReply): FastifyReply | null {
    const { dialect, path, owned } = this.#dispatch.stray(request);
    if (dialect === null) return owned ? send(reply, unionUnauthorized) : null;
    return this.#refuse(dialect, strayRefusal(dialect, path), request, reply);
  }

  /**
   * Answers a path that cannot be decoded, where it is a dialect's: as a request that names no job, so that its key
   * counts first. False for anything else.
   */
  unreadable(request: FastifyRequest, reply: FastifyReply): boolean {
    const { dialect, path, owned } = this.#dispatch.stray(request);
    if (dialect === null && !owned) return false;
    void this.#answerUnreadable(request, reply, dialect, path);
    return true;
  }

  #add(scope: FastifyInstance, method: Route['method'], url: string, onRequest: onRequestAsyncHookHandler): void {
    scope.route({
      method,
      url,
      config: { dialect: true },
      // A job's input, its every character escaped, and what goes with it.
      bodyLimit: 6 * this.#services.config.maxInputBytes + 65_536,
      onRequest,
      handler: async ({ call }, reply) => {
        if (call === null || call === undefined) throw new Error('a route of a dialect was reached without its dialect');
        call.read(call.route);
        return send(reply, await call.route.handle(call));
      },
    });
  }

  #addAtRoot(scope: FastifyInstance, path: string): void {
    const owners = this.#dispatch.ownersOf(path);
    const routes = owners.flatMap((dialect) =>
      dialect.routes.filter((route) => routerPath(route.path) === path).map((route) => ({ dialect, route })),
    );
    for (const method of new Set(routes.map(({ route }) => route.method))) {
      const byDialect = new Map(routes.flatMap((each) => (each.route.method === method ? [[each.dialect, each.route]] : [])));
      this.#add(scope, method, path, async (request, reply) => {
        const dialect = this.#dispatch.atRoot(request, path, owners);
        if (dialect === null) return send(reply, unionUnauthorized);
        const route = byDialect.get(dialect);
        if (route !== undefined) return this.#open(request, reply, dialect, route);
        return this.#refuse(dialect, strayRefusal(dialect, path), request, reply);
      });
    }
  }

  /** Lets a request in: nothing else of it is looked at before its key. */
  async #open(request: FastifyRequest, reply: FastifyReply, dialect: RestDialect, route: Route): Promise<void> {
    const call = new Call(this.#shared, dialect, route, request);
    request.call = call;
    const notices = this.#notices.headersOf(dialect.name);
    if (notices !== undefined) reply.headers(notices);
    call.viewer = await callerOf(this.#services, dialect, route.scope, request);
    const counted = this.#count(call, reply);
    if (route.countedMeanwhile !== true) return counted;
    call.counted = counted;
    // Who is refused before the route looks is refused for that.
    counted.catch(() => undefined);
  }

  /** Counts a request once, however it is answered and however long it is held. */
  async #count({ viewer, dialect }: Call, reply: FastifyReply): Promise<void> {
    const verdict = await this.#services.rateLimiter.consume(viewer);
    reply.headers(rateLimitHeaders(dialect, verdict) ?? {});
    refuseTooMany(verdict);
  }

  #fail(error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
    const { call } = request;
    if (call === null || call === undefined) throw error;
    const refusal = refusalOf(error);
    if (refusal.kind === 'INTERNAL') this.#services.log.error({ err: error }, `a request in ${call.dialect.name} failed`);
    return this.#refuse(call.dialect, refusal, request, reply);
  }

  #refuse(dialect: RestDialect, refusal: Refusal, request: FastifyRequest, reply: FastifyReply): FastifyReply {
    // What reached no route has heard nothing yet of the dialect's end.
    reply.headers(this.#notices.headersOf(dialect.name) ?? {});
    return send(reply, refusalAnswer(dialect, refusal, request));
  }

  async #answerUnreadable(
    request: FastifyRequest,
    { raw }: FastifyReply,
    dialect: RestDialect | null,
    path: string,
  ): Promise<void> {
    const { status, headers, body } =
      dialect === null ? unionUnauthorized : await this.#unreadableAnswer(request, dialect, path);
    const notices = dialect === null ? undefined : this.#notices.headersOf(dialect.name);
    // The router has given up on this request: there are no hooks, and no reply but the raw one.
    raw.writeHead(status, { ...commonHeaders, ...notices, ...headers, 'content-type': jsonType }).end(body);
  }

  async #unreadableAnswer(request: FastifyRequest, dialect: RestDialect, path: string): Promise<Answer> {
    const wanted = request.method === 'HEAD' ? 'GET' : request.method;
    const route = routesOn(dialect, path).find(({ method }) => method === wanted);
    if (route === undefined) return refusalAnswer(dialect, strayRefusal(dialect, path), request);
    try {
      await callerOf(this.#services, dialect, route.scope, request);
      throw new RefusedError({ kind: 'NOT_FOUND', what: 'job' });
    } catch (error) {
      return refusalAnswer(dialect, refusalOf(error), request);
    }
  }
}

/** A call, as the metrics tell calls apart. */
export function meteredCall({ dialect, route, apiKeyId }: Call): MeteredRequest['dialect'] {
  return { dialect: dialect.name.toLowerCase(), route: `${route.method} ${route.path}`, key: apiKeyId ?? 'none' };
}

/** Why a path of the dialect leads nowhere with this method. */
function strayRefusal(dialect: RestDialect, path: string): Refusal {
  const methods = routesOn(dialect, path).map(({ method }) => method);
  if (methods.length === 0) return { kind: 'NOT_FOUND', what: 'path' };
  return { kind: 'METHOD_NOT_ALLOWED', allowed: methods.flatMap((each) => (each === 'GET' ? ['GET', 'HEAD'] : [each])) };
}
