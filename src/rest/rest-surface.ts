import type { FastifyInstance, FastifyReply, FastifyRequest, onRequestAsyncHookHandler } from 'fastify';
import type { Services } from '../services.ts';
import { answer, send } from './core/answer.ts';
import { Call, type CallParts, type Route } from './core/call.ts';
import { callerOf } from './core/caller.ts';
import { DialectChoice } from './core/dialect-choice.ts';
import type { DialectProfile } from './core/dialect-profile.ts';
import { routerPath } from './core/rest-endpoint.ts';
import { Holds } from './core/holds.ts';
import { rateLimitHeaders, refuseTooMany } from './core/limit-headers.ts';
import { type Refusal, refusalOf } from './core/refusal.ts';
import { refusalAnswer } from './core/refusal-answer.ts';
import type { RestDialect } from './core/rest-dialect.ts';
import { ShownJobs } from './core/shown-jobs.ts';
import { SunsetNotices } from './core/sunset-notices.ts';
import { dialects } from './dialects.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** Set once a request to a dialect's route has its dialect. */
    call?: Call | null;
  }
  interface FastifyContextConfig {
    /** The route belongs to the REST dialects. */
    dialect?: boolean;
  }
}

/** Answers a client whose dialect nothing tells: those of Vidocu and of VideoConduit both understand it. */
const unionUnauthorized = answer(401, {
  error: { code: 'authentication_error', message: 'Invalid or missing API key' },
  detail: 'Invalid or missing API key',
  code: 'unauthorized',
});

/** The REST dialects on an HTTP server: each under its prefix, and all at the root, as their vendors write the paths. */
export class RestSurface {
  readonly #services: Services;
  readonly #choice: DialectChoice;
  readonly #holds: Holds;
  readonly #notices: SunsetNotices;
  readonly #parts: CallParts;

  constructor(services: Services) {
    this.#services = services;
    this.#holds = new Holds(services.jobs);
    this.#parts = { services, holds: this.#holds, shown: new ShownJobs() };
    this.#notices = new SunsetNotices(services.config);
    this.#choice = new DialectChoice(dialects, services.config.compatHosts);
  }

  mount(app: FastifyInstance): void {
    void app.register(async (scope) => {
      // A body is read after the key was looked up, and refused in the dialect's words.
      scope.removeAllContentTypeParsers();
      scope.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
      scope.decorateRequest('call', null);
      scope.setErrorHandler((error, request, reply) => this.#fail(error, request, reply));
      for (const dialect of dialects) this.#addUnderPrefix(scope, dialect);
      for (const path of new Set(dialects.flatMap(({ routes }) => routes.map((route) => routerPath(route.path))))) {
        this.#addAtRoot(scope, path);
      }
    });
  }

  /** Answers everyone whose answer is held. May be called twice. */
  stop(): void {
    this.#holds.stop();
  }

  /** Answers a request that reached no route, if its host or its key is a dialect's; null for any other. */
  stray(request: FastifyRequest, reply: FastifyReply): FastifyReply | null {
    const dialect = this.#choice.elsewhere(request);
    return dialect === null ? null : this.#refuse(dialect, { kind: 'NOT_FOUND', what: 'path' }, request, reply);
  }

  #addUnderPrefix(scope: FastifyInstance, dialect: RestDialect): void {
    const { prefix, routes } = dialect;
    for (const [path, onPath] of Map.groupBy(routes, (route) => routerPath(route.path))) {
      for (const route of onPath) {
        this.#add(scope, route.method, prefix + path, async (request, reply) => this.#open(request, reply, dialect, route));
      }
      const refusal = strayRefusal(dialect, path);
      this.#add(scope, othersThan(onPath, scope), prefix + path, async (request, reply) =>
        this.#refuse(dialect, refusal, request, reply),
      );
    }
    for (const url of [prefix, `${prefix}/*`]) {
      this.#add(scope, scope.supportedMethods, url, async (request, reply) =>
        this.#refuse(dialect, { kind: 'NOT_FOUND', what: 'path' }, request, reply),
      );
    }
  }

  #addAtRoot(scope: FastifyInstance, path: string): void {
    const owners = this.#choice.ownersOf(path);
    const routesOf = ({ routes }: RestDialect) => routes.filter((route) => routerPath(route.path) === path);
    const choosing =
      (routeIn: (dialect: RestDialect) => Route | undefined): onRequestAsyncHookHandler =>
      async (request, reply) => {
        const dialect = this.#choice.onPath(request, path, owners);
        if (dialect === null) return send(reply, unionUnauthorized);
        const route = routeIn(dialect);
        if (route !== undefined) return this.#open(request, reply, dialect, route);
        return this.#refuse(dialect, strayRefusal(dialect, path), request, reply);
      };
    const all = owners.flatMap(routesOf);
    for (const method of new Set(all.map((route) => route.method))) {
      const routes = new Map(owners.map((owner) => [owner, routesOf(owner).find((route) => route.method === method)]));
      this.#add(scope, method, path, choosing((dialect) => routes.get(dialect)));
    }
    this.#add(scope, othersThan(all, scope), path, choosing(() => undefined));
  }

  /** @param onRequest opens the request, or refuses it before its body is read */
  #add(scope: FastifyInstance, method: string | string[], url: string, onRequest: onRequestAsyncHookHandler): void {
    scope.route({
      method,
      url,
      config: { dialect: true },
      // An input whose every character is escaped, and what goes with it.
      bodyLimit: 6 * this.#services.config.maxInputBytes + 65_536,
      onRequest,
      handler: async ({ call }, reply) => {
        if (call === null || call === undefined) throw new Error('a route of a dialect was reached without its dialect');
        return send(reply, await call.answer());
      },
    });
  }

  /** Lets a request in. The key comes first; until it is known nothing else of the request counts. */
  async #open(request: FastifyRequest, reply: FastifyReply, dialect: RestDialect, route: Route): Promise<void> {
    const call = new Call(this.#parts, dialect, route, request);
    request.call = call;
    const notices = this.#notices.headersOf(dialect.name);
    if (notices !== undefined) reply.headers(notices);
    call.viewer = await callerOf(this.#services, dialect, route.scope, request);
    const counted = this.#count(call, reply);
    if (route.countedMeanwhile !== true) return counted;
    call.counted = counted;
    // The route may refuse the request for another reason before it awaits this.
    counted.catch(() => undefined);
  }

  /** Counts a request once, however it is answered and however long it is held. */
  async #count({ viewer, dialect }: Call, reply: FastifyReply): Promise<void> {
    const verdict = await this.#services.rateLimiter.consume(viewer);
    const headers = rateLimitHeaders(dialect, verdict);
    if (headers !== undefined) reply.headers(headers);
    refuseTooMany(verdict);
  }

  #fail(error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
    const { call } = request;
    if (call === null || call === undefined) throw error;
    const refusal = refusalOf(error);
    if (refusal.kind === 'INTERNAL') this.#services.log.error({ err: error }, `a request in ${call.dialect.name} failed`);
    return this.#refuse(call.dialect, refusal, request, reply);
  }

  #refuse(dialect: DialectProfile, refusal: Refusal, request: FastifyRequest, reply: FastifyReply): FastifyReply {
    // A request that was never opened has not heard of the dialect's end yet.
    reply.headers(this.#notices.headersOf(dialect.name) ?? {});
    return send(reply, refusalAnswer(dialect, refusal, request));
  }
}

/** Why a path of the router leads nowhere in this dialect. */
function strayRefusal({ routes }: RestDialect, path: string): Refusal {
  const allowed = allowedOn(routes.filter((route) => routerPath(route.path) === path));
  return allowed.length === 0 ? { kind: 'NOT_FOUND', what: 'path' } : { kind: 'METHOD_NOT_ALLOWED', allowed };
}

/** The methods of routes; Fastify answers HEAD wherever it answers GET. */
function allowedOn(routes: readonly Route[]): string[] {
  return routes.flatMap(({ method }) => (method === 'GET' ? ['GET', 'HEAD'] : [method]));
}

function othersThan(routes: readonly Route[], { supportedMethods }: FastifyInstance): string[] {
  const allowed = allowedOn(routes);
  return supportedMethods.filter((method) => !allowed.includes(method));
}
