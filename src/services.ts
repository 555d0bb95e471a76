import type { Uploads } from './files/uploads/uploads.ts';
import type { ArtifactLinks } from './files/links.ts';
import type { Room } from './files/room.ts';
import type { ResultFiles } from './files/result-files.ts';
import type { Store } from './files/stores/store.ts';
import type { Bus } from './bus/bus.ts';
import type { Database } from './database/database.ts';
import type { DatabaseClock } from './database/clock.ts';
import type { Loop } from './concurrency/loop.ts';
import type { Cursors } from './cursors.ts';
import type { ErrorCounts } from './error-counts.ts';
import type { Jobs } from './jobs/jobs.ts';
import type { Log } from './log.ts';
import type { WorkMetrics } from './metrics/work-metrics.ts';
import type { RateLimiter } from './rate-limit/rate-limiter.ts';
import type { AccessTokens } from './workspaces/access-token.ts';
import type { Sessions } from './workspaces/sessions.ts';
import type { SignInCode } from './workspaces/sign-in-code.ts';
import type { AuditTrail } from './workspaces/audit/trail.ts';
import type { Authenticator } from './workspaces/authenticator.ts';
import type { WebhookSecrets } from './workspaces/webhook-secrets.ts';
import type { Dialect } from './workspaces/dialect.ts';

/** What surfaces read of the configuration, which says what each of them means. */
export interface SurfaceSettings {
  host: string;
  port: number;
  role: 'all' | 'api' | 'worker';
  corsOrigins: ReadonlySet<string> | null;
  trustProxy: TrustedProxies;
  graphiql: boolean;
  dashboard: boolean;
  /** Where downloads are redirected to: a bucket's origin; null where files are served here. */
  downloadOrigin: string | null;
  introspection: boolean;
  maxInputBytes: number;
  maxOutputBytes: number;
  maxSocketsPerKey: number;
  maxSubscriptionsPerKey: number;
  stalledSeconds: number;
  metricsToken: string | null;
  stopSeconds: number;
  compatHosts: ReadonlyMap<string, Dialect>;
  compatDeprecation: ReadonlyMap<Dialect, Date>;
  compatSunset: ReadonlyMap<Dialect, Date>;
}

/** Whose forwarded headers are believed, as Fastify takes it. */
export type TrustedProxies = boolean | string[] | ((address: string, hop: number) => boolean);

/** What a surface works with: the domain and what renders it. Made once, in app.ts. */
export interface Services {
  config: SurfaceSettings;
  log: Log;
  bus: Bus;
  authenticator: Authenticator;
  rateLimiter: RateLimiter;
  accessTokens: AccessTokens;
  sessions: Sessions;
  /** Of a first start whose page is served; null: none. */
  signInCode: SignInCode | null;
  audit: AuditTrail;
  webhookSecrets: WebhookSecrets;
  database: Database;
  clock: DatabaseClock;
  jobs: Jobs;
  store: Store;
  artifacts: ResultFiles;
  uploads: Uploads;
  room: Room;
  links: ArtifactLinks;
  /** Base of the URLs that are handed out, without a slash at its end. */
  publicUrl: () => string;
  /** Folder of the page as it is built; it may not be there. */
  dashboardFolder: string;
  installationId: string;
  cursors: Cursors;
  /** What goes on by itself in this process: claims, sweeps, deliveries, the feed. */
  loops: readonly Loop[];
  /** For the metrics. */
  errorCounts: ErrorCounts;
  workMetrics: WorkMetrics;
}
