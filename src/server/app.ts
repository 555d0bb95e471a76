import { hostname } from 'node:os';
import { createArtifactLinks } from '../files/links.ts';
import { Room } from '../files/room.ts';
import { ArtifactStore } from '../files/store.ts';
import { claimVolume } from '../files/claim-volume.ts';
import { Sweeper } from './sweeper.ts';
import { createMemoryBus } from '../bus/memory-bus.ts';
import { createRedisBus } from '../bus/redis-bus.ts';
import { cacheFolder } from './cache-folder.ts';
import type { Loop } from '../concurrency/loop.ts';
import { DatabaseClock } from '../database/clock.ts';
import { takeTimeFrom } from '../database/ids.ts';
import type { Config } from './configuration.ts';
import { entities } from './entities.ts';
import { openEmbeddedDatabase, type OpenDatabase, openServerDatabase } from '../database/open.ts';
import { Cursors } from '../cursors.ts';
import { ErrorCounts } from '../error-counts.ts';
import { globalJobIds } from '../graphql/global-id.ts';
import { vidocuIds } from '../rest/vidocu/vidocu-id.ts';
import { Jobs } from '../jobs/jobs.ts';
import { loadJobTypes, reloadJobTypes } from '../jobs/types/registry.ts';
import type { Log } from '../log.ts';
import { WorkMetrics } from '../metrics/work-metrics.ts';
import { createOutboundFetch } from '../outbound/fetch.ts';
import { RateLimiter } from '../rate-limit/rate-limiter.ts';
import { adoptSecrets, keptSecret } from './secret.ts';
import { Secrets } from '../secrets.ts';
import type { Services } from '../services.ts';
import { Deliverer } from '../webhooks/deliverer.ts';
import { builtInHandlers } from '../worker/handlers.ts';
import { Runner } from '../worker/runner.ts';
import { AccessTokens } from '../workspaces/access-token.ts';
import { Authenticator } from '../workspaces/authenticator.ts';
import type { Dialect } from '../workspaces/dialect.ts';
import { ensureDefaultWorkspace } from '../workspaces/ensure-default-workspace.ts';
import { encryptWebhookSecrets, WebhookSecrets } from '../workspaces/webhook-secrets.ts';
import { webhookSurfaces } from './webhook-surfaces.ts';

/** A running process. Its ROLE decides which parts are started; they are stopped in the opposite order. */
export interface App {
  /** The URL at which it listens. */
  url: string;
  /** The admin key, if this start created one. It is shown only this once. */
  madeKey: string | null;
  services: Services;
  sweeper: Sweeper;
  deliverer: Deliverer;
  /** Says that it is not ready any more, so that a load balancer sends nothing new, and goes on serving. Its worker takes no new job. */
  drain(): void;
  /** Reads the JOB_TYPES file again. Never rejects. */
  reloadTypes(): Promise<void>;
  /** Lets running work finish, within a bounded time. May be called twice. */
  stop(): Promise<void>;
}

export interface AppOptions {
  log: Log;
  /** Called when the process must stop, because another one took the database from it. */
  onFatal: (reason: Error) => void;
  /** Opens another database than the configured one. Tests use it. */
  openDatabase?: () => Promise<OpenDatabase>;
}

/** Wires all parts together; nothing else does. Throws an Error with a readable reason if it cannot start. */
export async function startApp(config: Config, options: AppOptions): Promise<App> {
  const { log } = options;
  const stops: (() => Promise<unknown>)[] = [];
  let stopping: Promise<void> | null = null;
  const stop = () => {
    stopping ??= stopAll(stops, log);
    return stopping;
  };
  try {
    const types = await loadJobTypes(config.jobTypesFile);
    const opening = (options.openDatabase ?? (() => openDatabase(config, options)))();
    // Load the largest part of the program while the database opens.
    const loading = import('../http/server.ts');
    const opened = await opening;
    stops.push(() => opened.close());
    const { database, installationId } = opened;
    const clock = new DatabaseClock(database.hot, log);
    await clock.start();
    takeTimeFrom(() => clock.now().getTime());
    stops.push(() => clock.stop());
    const secrets = new Secrets(config.secrets ?? [await keptSecret(config.dataDir)]);
    await adoptSecrets(database, secrets);
    const webhookSecrets = new WebhookSecrets(secrets);
    await encryptWebhookSecrets(database, webhookSecrets, log);
    // A worker serves no requests, and must not invalidate the admin key of another process.
    const ensured = config.role === 'worker' ? null : await ensureDefaultWorkspace({ database, webhookSecrets }, config);
    if (ensured?.isRevoked === true) log.warn({}, 'ADMIN_API_KEY was revoked and stays revoked. Set it to a new key.');
    const artifacts = new ArtifactStore(config.artifactsDir);
    await claimVolume(database, artifacts, installationId);
    const room = new Room(config.artifactsDir, log);
    room.start();
    stops.push(() => room.loop.stop());
    const fetch = createOutboundFetch({ allow: config.outboundAllow });
    stops.push(() => fetch.close());

    const prefix = `longhaul:${installationId}:`;
    const redis = config.redisUrl === null ? null : createRedisBus({ url: config.redisUrl, prefix, log });
    const bus = redis ?? createMemoryBus({ log });
    stops.push(() => bus.close());

    const authenticator = new Authenticator(database, bus, log);
    await authenticator.start();
    stops.push(() => authenticator.stop());
    let publicUrl = config.publicUrl;
    const links = createArtifactLinks({ secrets, publicUrl: () => publicUrl });
    const surfaces = webhookSurfaces(links);
    const notifiesOfCancellation = (dialect: Dialect) => surfaces[dialect].notifiesOfCancellation;
    const handlers = builtInHandlers(config);
    const workMetrics = new WorkMetrics();
    const jobs = new Jobs({
      database,
      bus,
      log,
      types,
      limits: config,
      notifiesOfCancellation,
      idForms: [globalJobIds, vidocuIds],
      builtInTypes: new Set(handlers.keys()),
      observer: workMetrics,
    });
    stops.push(() => jobs.stop());
    const sweeper = new Sweeper({ jobs, database, artifacts, log });

    const loops: Loop[] = [...opened.loops, clock.loop, room.loop, authenticator.loop, ...jobs.loops];
    const services: Services = {
      config,
      log,
      bus,
      database,
      clock,
      authenticator,
      rateLimiter: new RateLimiter(
        { key: config.rateLimit, address: config.rateLimitAnonymous },
        redis?.counter ?? null,
        prefix,
      ),
      accessTokens: new AccessTokens(secrets, clock),
      webhookSecrets,
      jobs,
      artifacts,
      room,
      links,
      publicUrl: () => publicUrl,
      loops,
      cursors: new Cursors(secrets),
      errorCounts: new ErrorCounts(),
      workMetrics,
    };

    const { HttpServer } = await loading;
    const http = new HttpServer(services);
    stops.push(() => http.stop());
    // Stop claims before HTTP, which waits for requests in flight: a claim may wait for half a minute.
    stops.push(() => jobs.stopClaims());
    await jobs.start();
    const url = await http.listen();
    // The default names the port.
    if (config.publicUrl === 'http://localhost:0') publicUrl = url;

    sweeper.start();
    loops.push(...sweeper.loops);
    stops.push(() => sweeper.stop());
    const deliverer = new Deliverer({ jobs, database, clock, outboundAllow: config.outboundAllow, surfaces, webhookSecrets, observer: workMetrics, log });
    deliverer.start();
    loops.push(...deliverer.loops);
    stops.push(() => deliverer.stop());
    let runner: Runner | null = null;
    if (config.role !== 'api') {
      runner = new Runner({
        ...services,
        fetch,
        handlers,
        concurrency: config.workerConcurrency,
        workerId: `${hostname()}/${process.pid}`,
      });
      runner.start();
      stops.push(runner.stop.bind(runner));
    }
    const drain = () => {
      http.drain();
      runner?.drain();
    };
    const reloadTypes = () => reloadJobTypes(types, config.jobTypesFile, log);
    return { url, madeKey: ensured?.madeKey ?? null, services, sweeper, deliverer, drain, reloadTypes, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

function openDatabase(config: Config, { log, onFatal }: AppOptions): Promise<OpenDatabase> {
  if (config.databaseServer === null) return openEmbeddedDatabase(config.dataDir, { cacheFolder, entities, log });
  return openServerDatabase({
    server: config.databaseServer,
    entities,
    poolSize: config.databasePoolSize,
    sharing: config.redisUrl === null ? 'sole' : 'shared',
    log,
    onEvicted: onFatal,
  });
}

/** Stops the parts, last started first. If one fails to stop, the others are still stopped. */
async function stopAll(stops: (() => Promise<unknown>)[], log: Log): Promise<void> {
  for (const stop of stops.toReversed()) {
    try {
      await stop();
    } catch (error) {
      log.error({ err: error }, 'a part of the process did not stop cleanly');
    }
  }
}
