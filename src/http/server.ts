import type { IncomingMessage } from 'node:http';
import { fastify, type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { artifactRoute } from '../files/serving.ts';
import { findDownloadable } from '../files/downloadable.ts';
import { uploadRoutes } from '../files/uploads/upload-routes.ts';
import { CredentialWatch } from '../graphql/credential-watch.ts';
import { GraphQLRoute } from '../graphql/http.ts';
import { OpenStreams } from '../graphql/live/event-stream.ts';
import { Live } from '../graphql/live/live.ts';
import { Operations } from '../graphql/operations.ts';
import { GraphQLSockets } from '../graphql/websocket.ts';
import { RestSurface } from '../rest/rest-surface.ts';
import type { Services } from '../services.ts';
import { unavailableOf } from '../database/unavailable.ts';
import { describeError, RateLimitedError, unavailableRetrySeconds } from '../errors.ts';
import { compression } from '../web/compression.ts';
import { Forwarded } from '../web/forwarded.ts';
import { PageSessions } from '../web/page-sessions.ts';
import { allowPages } from './cors.ts';
import { Dashboard } from './dashboard.ts';
import { docsRoutes } from './docs.ts';
import { healthRoutes } from './health.ts';
import { InstallationMetrics } from '../metrics/installation-metrics.ts';
import { Metrics } from './metrics.ts';
import { NativePaths } from './native-paths.ts';
import { headerFault, routedTarget } from './request-target.ts';
import { sessionRoutes } from './session.ts';
import { boundBodies } from './slow-body.ts';
import { boundUnreadBodies } from './unread-body.ts';
import { UnusedConnections } from './unused-connections.ts';

/** The one HTTP server of a process: GraphQL, the REST dialects, files, health and metrics. */
export class HttpServer {
  readonly #services: Services;
  readonly #app: FastifyInstance;
  readonly #sockets: GraphQLSockets | null;
  readonly #credentials: CredentialWatch;
  readonly #live: Live;
  readonly #streams = new OpenStreams();
  readonly #unused: UnusedConnections;
  readonly #rest: RestSurface | null;
  #draining = false;
  #stopped: Promise<void> | null = null;

  constructor(services: Services) {
    const { config, log } = services;
    this.#services = services;
    const serves = config.role !== 'worker';
    const metrics = new Metrics({
      sockets: () => this.#sockets?.size ?? 0,
      subscriptions: () => this.#live.subscriptions.total,
      broadcasts: () => this.#live.broadcasts.size,
      stalledConnections: () => this.#live.stalled.size,
      watchedCredentials: () => this.#credentials.size,
      eventStreams: () => this.#streams.size,
      watchedJobs: () => services.jobs.watched.jobs,
      watchedLogs: () => services.jobs.watched.logs,
      builtIns: services.jobs.builtIns,
      listeningWorkers: () => services.jobs.watched.workers,
      errors: () => services.errorCounts.all(),
      uploadsUnderWay: () => services.uploads.underWay,
      waitingClaims: () => services.jobs.waitingClaims,
      room: services.room,
      bus: services.bus,
      loops: services.loops,
      pools: () => services.database.pools,
      work: services.workMetrics,
      installation: new InstallationMetrics(services),
    });
    const rest = serves ? new RestSurface(services) : null;
    this.#rest = rest;
    const paths = new NativePaths();
    this.#app = fastify({
      trustProxy: config.trustProxy,
      // Room for a thousand jobs of a createJobs; what one job may bring is checked job by job.
      bodyLimit: Math.max(16 * 1024 * 1024, 2 * (config.maxInputBytes + config.maxOutputBytes)),
      // Bodies are bounded route by route: see boundBodies.
      requestTimeout: 0,
      http: {
        headersTimeout: 20_000,
        keepAliveTimeout: 72_000,
        // Other offers to upgrade, such as HTTP/2 by Java's client, are ignored: RFC 9110, section 7.8.
        shouldUpgradeCallback: (request) => serves && isSocketRequest(request),
      },
      forceCloseConnections: 'idle',
      // As long as Node lets a whole request line be: a job's id that is too long is an unknown one.
      routerOptions: { ignoreTrailingSlash: false, maxParamLength: 16_384 },
      rewriteUrl: routedTarget,
    });
    this.#unused = new UnusedConnections(this.#app.server);
    this.#credentials = new CredentialWatch(services, log);
    const operations = new Operations(services);
    const forwarded = new Forwarded(config.trustProxy);
    const pages = new PageSessions(services, forwarded);
    this.#live = new Live(services);
    this.#sockets = serves ? new GraphQLSockets(services, operations, this.#credentials, this.#live, pages) : null;
    // Without promises: these two run for every request.
    this.#app.addHook('onResponse', ({ routeOptions, method, call, claims }, reply, done) => {
      const seconds = reply.elapsedTime / 1_000;
      if (claims === true) metrics.answeredClaim(seconds);
      else metrics.answered(routeOptions.url ?? 'none', method, reply.statusCode, seconds);
      if (call != null) metrics.answeredCall(call);
      done();
    });
    this.#app.addHook('onRequest', (request, _reply, done) => {
      const fault = headerFault(request.raw);
      if (fault === null) done();
      else done(fault);
    });
    allowPages(this.#app, config.corsOrigins);
    compression(this.#app);
    boundBodies(this.#app);
    boundUnreadBodies(this.#app);
    // A client that does not read its answer holds memory: it is cut off.
    this.#app.addHook('onSend', (_request, reply, _payload, done) => {
      reply.raw.setTimeout(config.stalledSeconds * 1_000);
      done();
    });
    // A client that is answered before or during the stop must not keep its connection: it would be cut in its next request.
    this.#app.addHook('onSend', (_request, reply, _payload, done) => {
      if (this.#draining) reply.header('connection', 'close');
      done();
    });
    const notFound = (request: FastifyRequest, reply: FastifyReply) => {
      const message = `There is no ${request.method} on this path. The API is at /graphql.`;
      return rest?.stray(request, reply) ?? reply.code(404).send({ error: { code: 'NOT_FOUND', message } });
    };
    this.#app.setErrorHandler((error, request, reply) => {
      // An unknown path is 404 whatever its body is.
      if (request.is404) return notFound(request, reply);
      const { status, code, message } = describeError(unavailableOf(error) ?? error);
      if (status >= 500) log.error({ err: error }, 'a request failed');
      if (code === 'UNAVAILABLE') reply.header('retry-after', unavailableRetrySeconds);
      if (error instanceof RateLimitedError) reply.header('retry-after', error.retryAfter);
      return reply.code(status).send({ error: { code, message } });
    });
    this.#app.setNotFoundHandler(notFound);
    paths.watch(this.#app);
    healthRoutes(this.#app, services, metrics, () => this.#draining);
    if (!serves) {
      paths.refuseOtherMethods(this.#app);
      return;
    }
    const parts = { services, operations, live: this.#live, streams: this.#streams, credentials: this.#credentials, pages };
    new GraphQLRoute(parts).mount(this.#app);
    artifactRoute(this.#app, {
      find: (id) => findDownloadable(services.database.reads, id),
      store: services.store,
      links: services.links,
      now: () => services.clock.now(),
    });
    uploadRoutes(this.#app, services.uploads);
    docsRoutes(this.#app, services);
    const dashboard = config.dashboard ? new Dashboard(services.dashboardFolder, config.downloadOrigin) : null;
    dashboard?.mountAssets(this.#app);
    if (config.dashboard) sessionRoutes(this.#app, services, operations, pages);
    paths.refuseOtherMethods(this.#app);
    rest?.mount(this.#app);
    // On a dialect's host this path is like any other.
    const root = { config: { dialect: true } };
    const graphql = () => `${new URL(services.publicUrl()).pathname.replace(/\/$/, '')}/graphql`;
    this.#app.get('/', root, (request, reply) => rest?.stray(request, reply) ?? dashboard?.send(reply) ?? reply.redirect(graphql()));
    this.#app.options('/', root, (request, reply) => rest?.stray(request, reply) ?? reply.code(204).header('allow', 'GET, HEAD').send());
    this.#app.server.on('upgrade', (request, socket, head) => {
      if (headerFault(request) !== null) socket.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
      else if (this.#sockets !== null && this.#stopped === null) {
        this.#sockets.upgrade(request, socket, head, forwarded.addressOf(request));
      } else socket.end('HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
    });
  }

  /** Starts to listen. Resolves with the URL; throws an Error with a readable reason. */
  async listen(): Promise<string> {
    const { port, host } = this.#services.config;
    try {
      await this.#app.listen({ port, host });
    } catch (error) {
      if (!(error instanceof Error && 'code' in error)) throw error;
      throw new Error(`Cannot listen on ${host}:${port} (${String(error.code)}). Choose another PORT or HOST.`, {
        cause: error,
      });
    }
    const address = this.#app.server.address();
    const bound = typeof address === 'object' && address !== null ? address.port : port;
    return `http://localhost:${bound}`;
  }

  /** Is not ready any more, and lets go of each connection with its next answer. May be called twice. */
  drain(): void {
    this.#draining = true;
  }

  /**
   * Accepts nothing new, lets requests in flight finish, closes sockets with 1001 and cuts event streams, in waves: a
   * stream that ended in an orderly way would tell its client that the job was over. Bounded in time. May be called twice.
   */
  stop(): Promise<void> {
    this.drain();
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  async #stop(): Promise<void> {
    this.#credentials.stop();
    this.#rest?.stop();
    const closed = this.#app.close();
    this.#unused.close();
    await Promise.all([this.#streams.stop(), this.#sockets?.stop()]);
    this.#live.stop();
    // Requests in flight have a third of the time to stop; other parts stop before and after.
    const cut = setTimeout(() => this.#app.server.closeAllConnections(), (this.#services.config.stopSeconds * 1_000) / 3);
    await closed;
    clearTimeout(cut);
  }
}

function isSocketRequest(request: IncomingMessage): boolean {
  return request.headers.upgrade?.toLowerCase() === 'websocket' && routedTarget(request).split('?', 1)[0] === '/graphql';
}
