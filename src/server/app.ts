import { existsSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { createArtifactLinks } from '../files/links.ts';
import { Room } from '../files/room.ts';
import { UploadLinks } from '../files/uploads/upload-links.ts';
import { Uploads } from '../files/uploads/uploads.ts';
import { ResultFiles } from '../files/result-files.ts';
import { claimStore } from '../files/claim-store.ts';
import { createStore } from '../files/stores/create-store.ts';
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
import { globalJobIds, toGlobalId } from '../graphql/global-id.ts';
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
import type { BuiltIn } from '../worker/handler.ts';
import { builtInHandlers, missingEngines } from '../worker/handlers.ts';
import { openEngines } from '../worker/engines/open.ts';
import { openMedia } from '../worker/media/open.ts';
import { loadOwnHandlers } from '../worker/own/load.ts';
import { createOwnHandler } from '../worker/own/run.ts';
import { Runner } from '../worker/runner.ts';
import { AccessTokens } from '../workspaces/access-token.ts';
import { Sessions } from '../workspaces/sessions.ts';
import { SignInCode } from '../workspaces/sign-in-code.ts';
import { AuditTrail } from '../workspaces/audit/trail.ts';
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
  /** Path of a sign-in that works once, below the public URL, if this start created the key of an embedded installation and shows the page. */
  signInPath: string | null;
  /** Whether the page is on, and was built when the process started. */
  showsPage: boolean;
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

interface AppOptions {
  log: Log;
  /** Called when the process must stop, because another one took the database from it. */
  onFatal: (reason: Error) => void;
  /** Opens another database than the configured one. Tests use it. */
  openDatabase?: () => Promise<OpenDatabase>;
  /** Folder of the built page, in place of the program's own. Tests use it. */
  dashboardFolder?: string;
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
    const own = await loadOwnHandlers(config.handlersFile);
    const types = await loadJobTypes(config.jobTypesFile, own.types);
    const openingMedia = openMedia(config, { works: config.role !== 'api', log });
    // What it refuses is told below, where it is waited for.
    const openedMedia = openingMedia.then((opened) => opened, () => null);
    stops.push(async () => (await openedMedia)?.stop());
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
    const store = createStore(config);
    stops.push(() => store.close());
    await claimStore(database, store, installationId);
    const room = new Room(store, log);
    room.start();
    stops.push(() => room.loop.stop());
    const fetch = createOutboundFetch({ allow: config.outboundAllow });
    stops.push(() => fetch.close());

    const prefix = `longhaul:${installationId}:`;
    const redis = config.redisUrl === null ? null : createRedisBus({ url: config.redisUrl, prefix, log });
    const bus = redis ?? createMemoryBus({ log });
    stops.push(() => bus.close());

    const audit = new AuditTrail(database, log);
    audit.start();
    stops.push(() => audit.stop());
    const authenticator = new Authenticator(database, bus, log);
    await authenticator.start();
    stops.push(() => authenticator.stop());
    let publicUrl = config.publicUrl;
    const links = createArtifactLinks({ secrets, publicUrl: () => publicUrl });
    const surfaces = webhookSurfaces(links);
    const notifiesOfCancellation = (dialect: Dialect) => surfaces[dialect].notifiesOfCancellation;
    const { media, missing, room: scratchRoom } = await openingMedia;
    const tools = { ...config, media, engines: await openEngines(config.engines, { works: config.role !== 'api', log }) };
    const ownTools = { maxBytes: config.maxArtifactBytes, shownId: (uuid: string) => toGlobalId('Job', uuid), log };
    const ownHandlers = own.handlers.map((handler): [string, BuiltIn] => [handler.type, { handle: createOwnHandler(handler, ownTools), writesTo: ['files'] }]);
    const handlers = new Map([...builtInHandlers(tools), ...ownHandlers]);
    const builtIns = { types: new Set(handlers.keys()), missing: missingEngines(tools, handlers, missing) };
    const workMetrics = new WorkMetrics();
    const jobs = new Jobs({
      database,
      bus,
      log,
      types,
      limits: config,
      notifiesOfCancellation,
      idForms: [globalJobIds, vidocuIds],
      builtIns,
      observer: workMetrics,
      retentionDays: config.retentionDays,
      removeFile: (file) => store.remove(file, null),
    });
    stops.push(() => jobs.stop());
    const uploads = new Uploads({
      database,
      store,
      room,
      bus,
      log,
      links: new UploadLinks({ secrets, publicUrl: () => publicUrl }),
      maxBytes: config.maxArtifactBytes,
      quotaBytes: config.uploadQuotaBytes,
    });
    await uploads.start();
    stops.push(() => uploads.stop());
    const sweeper = new Sweeper({ jobs, uploads, database, store, log });

    const { dashboardFolder = join(import.meta.dirname, '../../dist/dashboard') } = options;
    const showsPage = config.dashboard && existsSync(join(dashboardFolder, 'index.html'));
    // In memory: other processes of an installation on servers would not know it.
    const madeKey = showsPage && config.databaseServer === null && ensured?.madeKey != null ? await authenticator.find(ensured.madeKey) : null;
    const signInCode = madeKey === null ? null : new SignInCode(madeKey.id, clock.now());

    const loops: Loop[] = [...opened.loops, clock.loop, room.loop, ...(scratchRoom === null ? [] : [scratchRoom.loop]), authenticator.loop, audit.loop, ...jobs.loops];
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
      sessions: new Sessions(secrets, clock),
      signInCode,
      audit,
      webhookSecrets,
      jobs,
      store,
      artifacts: new ResultFiles(store),
      uploads,
      room,
      links,
      publicUrl: () => publicUrl,
      dashboardFolder,
      installationId,
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
        rooms: { files: room, scratch: scratchRoom },
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
    const reloadTypes = () => reloadJobTypes(types, config.jobTypesFile, own.types, log);
    return { url, madeKey: ensured?.madeKey ?? null, signInPath: signInCode === null ? null : `/#/sign-in?code=${signInCode.code}`, showsPage, services, sweeper, deliverer, drain, reloadTypes, stop };
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
