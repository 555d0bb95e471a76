import { fastify, type FastifyInstance } from 'fastify';
import { artifactRoute } from '../artifacts/route.ts';
import { findArtifact } from '../artifacts/find.ts';
import { CredentialWatch } from '../graphql/credential-watch.ts';
import { graphqlRoute, type OpenStreams } from '../graphql/http.ts';
import { GraphQLSockets } from '../graphql/websocket.ts';
import { createGraphQL } from '../graphql/yoga.ts';
import { videoConduitRoutes } from '../rest/videoconduit.ts';
import type { Services } from '../services.ts';
import { describeError } from './describe-error.ts';
import { healthRoutes } from './health.ts';
import { Metrics } from './metrics.ts';

/** How long requests in flight may take to finish once the process is told to stop, in milliseconds. */
const graceMilliseconds = 5_000;

/** The one HTTP server of a process: GraphQL, the REST dialects, files, health and metrics. */
export class HttpServer {
  readonly #services: Services;
  readonly #app: FastifyInstance;
  readonly #sockets: GraphQLSockets | null;
  readonly #credentials: CredentialWatch;
  readonly #streams: OpenStreams = new Set();
  #stopped: Promise<void> | null = null;

  constructor(services: Services) {
    const { config, log } = services;
    this.#services = services;
    this.#app = fastify({
      trustProxy: config.trustProxy,
      // Room for a thousand jobs of a createJobs; what one job may bring is checked job by job.
      bodyLimit: Math.max(16 * 1024 * 1024, 2 * (config.maxInputBytes + config.maxOutputBytes)),
      requestTimeout: 60_000,
      http: { headersTimeout: 20_000, keepAliveTimeout: 72_000 },
      forceCloseConnections: 'idle',
      routerOptions: { ignoreTrailingSlash: false, maxParamLength: 500 },
      // A path that cannot be read reaches no route, and with it no error handler.
      frameworkErrors: (_error, _request, { raw }) => {
        const error = { code: 'BAD_USER_INPUT', message: 'The path of this URL cannot be read.' };
        raw.writeHead(400, { 'content-type': 'application/json; charset=utf-8' }).end(JSON.stringify({ error }));
      },
    });
    this.#credentials = new CredentialWatch(services);
    const serves = config.role !== 'worker';
    const yoga = serves ? createGraphQL(services) : null;
    this.#sockets = yoga === null ? null : new GraphQLSockets(services, yoga, this.#credentials);
    const metrics = new Metrics({
      sockets: () => this.#sockets?.size ?? 0,
      watchedJobs: () => services.feed.size,
      busHealthy: () => services.bus.healthy(),
    });
    this.#app.addHook('onResponse', async ({ routeOptions, method }, reply) => {
      const labels = { route: routeOptions.url ?? 'none', method, status: String(reply.statusCode) };
      metrics.requests.observe(labels, reply.elapsedTime / 1_000);
    });
    // Whoever was still being answered must not keep its connection, or the server would wait for it to be cut.
    this.#app.addHook('onSend', async (_request, reply) => {
      if (this.#stopped !== null) reply.header('connection', 'close');
    });
    this.#app.setErrorHandler((error, _request, reply) => {
      const { status, code, message } = describeError(error);
      if (status >= 500) log.error({ err: error }, 'a request failed');
      return reply.code(status).send({ error: { code, message } });
    });
    this.#app.setNotFoundHandler((request, reply) =>
      reply.code(404).send({
        error: { code: 'NOT_FOUND', message: `There is no ${request.method} on this path. The API is at /graphql.` },
      }),
    );
    healthRoutes(this.#app, services, metrics);
    if (yoga === null) return;
    graphqlRoute(this.#app, services, yoga, this.#streams, this.#credentials);
    artifactRoute(this.#app, {
      find: (id) => findArtifact(services.context.database, id),
      store: services.artifacts,
      links: services.links,
    });
    videoConduitRoutes(this.#app, services);
    this.#app.get('/', (_request, reply) => reply.redirect('/graphql'));
    this.#app.server.on('upgrade', (request, socket, head) => {
      const path = request.url?.split('?')[0];
      if (path === '/graphql' && this.#sockets !== null && this.#stopped === null) {
        this.#sockets.upgrade(request, socket, head);
      } else {
        socket.end('HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
      }
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

  /**
   * Accepts nothing new, lets requests in flight finish, closes sockets with 1001 and cuts event streams: a stream that
   * ended in an orderly way would tell its client that the job was over. Bounded in time. May be called twice.
   */
  stop(): Promise<void> {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  async #stop(): Promise<void> {
    this.#credentials.stop();
    const closed = this.#app.close();
    for (const reply of this.#streams) reply.raw.destroy();
    await this.#sockets?.stop();
    const cut = setTimeout(() => this.#app.server.closeAllConnections(), graceMilliseconds);
    await closed;
    clearTimeout(cut);
  }
}
