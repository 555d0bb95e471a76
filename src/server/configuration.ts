import { join } from 'node:path';
import { z } from 'zod';
import { readEngine } from '../worker/engines/setting.ts';
import { parseRedisUrl, redisUrlForm } from '../bus/redis-url.ts';
import { bucketUrl as urlOfBucket, type S3Settings } from '../files/stores/s3/s3-settings.ts';
import {
  address,
  apiKey,
  awsName,
  boolean,
  bucketUrl,
  builtInTypes,
  engine,
  engineKey,
  credential,
  databaseServer,
  datesOfDialects,
  hostsOfDialects,
  integer,
  oneOf,
  pageOrigins,
  path,
  publicUrl,
  reachableAddresses,
  secrets,
  serverUrl,
  trustedProxies,
} from './values.ts';

const environment = z.object({
  PORT: variable('Port to listen on; 0 takes any free one.', '4000', integer(0, 65_535)),
  HOST: variable('Address to listen on.', '127.0.0.1', address()),
  PUBLIC_URL: optional('Base of the URLs given to clients. Default: http://localhost:PORT.', publicUrl()),
  CORS_ORIGINS: variable(
    'Origins whose pages may call, with a key or token, or a signed link. Cookies are taken from no other origin.',
    '*',
    pageOrigins(),
  ),
  TRUST_PROXY: variable(
    'Proxies whose forwarded headers are trusted. Use a number or true only if nobody can reach the port around them.',
    'none',
    trustedProxies(),
  ),
  DATABASE_URL: optional('Postgres. Default: embedded, in DATA_DIR.', databaseServer()),
  REDIS_URL: optional('Redis, for more than one process. Default: in memory.', serverUrl(redisUrlForm, isRedisUrl)),
  DATA_DIR: variable('Folder of the embedded database and the generated secret.', '.data', path('the path of a folder')),
  ARTIFACTS_DIR: optional(
    'Folder of the result files, the same volume for every process. Default: DATA_DIR/artifacts.',
    path('the path of a folder'),
  ),
  ARTIFACTS_URL: optional('Bucket of the files, in place of ARTIFACTS_DIR; the same for every process.', bucketUrl()),
  ARTIFACTS_PATH_STYLE: optional(
    'Whether the bucket stands in the path of URLs, not in their host name. Default: with AWS_ENDPOINT_URL.',
    boolean(),
  ),
  ARTIFACTS_REDIRECT: variable('Whether downloads are redirected to the bucket, which browsers must reach then.', 'false', boolean()),
  AWS_ENDPOINT_URL: optional("The bucket's service. Default: Amazon S3 in AWS_REGION.", publicUrl()),
  AWS_REGION: variable("The bucket's region.", 'us-east-1', awsName()),
  AWS_ACCESS_KEY_ID: optional('Key for the bucket; required with ARTIFACTS_URL.', credential()),
  AWS_SECRET_ACCESS_KEY: optional('Its secret; required with ARTIFACTS_URL.', credential()),
  AWS_SESSION_TOKEN: optional('Of temporary keys. They are not renewed.', credential()),
  ROLE: variable('What this process does: serve, work, or both.', 'all', oneOf(['all', 'api', 'worker'])),
  JOB_TYPES: optional('File of job types that adds to or changes the shipped ones. Default: none.', path('a path')),
  HANDLERS: optional('Module of your own handlers for the in-process worker, the same for every process. Default: none.', path('the path of a module')),
  ADMIN_API_KEY: optional(
    'A key with every scope in the workspace `default`. Default: generated and printed on first start.',
    apiKey(),
  ),
  INITIAL_CREDITS: variable(
    'Credits of the workspace `default` on first start.',
    '10000',
    integer(0, 1_000_000_000),
  ),
  SECRET: optional(
    'Signs download URLs and tokens, and encrypts webhook secrets. Of several values the first signs, all verify. Default: ' +
      'kept in DATA_DIR; required with DATABASE_URL.',
    secrets(),
  ),
  COMPAT_HOSTS: variable('Host names that speak a dialect.', '', hostsOfDialects()),
  COMPAT_DEPRECATION: variable(
    'Since when a dialect is deprecated (Deprecation header).',
    '',
    datesOfDialects(),
  ),
  COMPAT_SUNSET: variable('When a dialect may be removed (Sunset header).', '', datesOfDialects()),
  OUTBOUND_ALLOW: variable('Private hosts and networks that webhooks and downloads may reach.', '', reachableAddresses()),
  MAX_QUEUE_LENGTH: variable('Pending jobs that a workspace may have.', '100000', integer(1, 100_000_000)),
  MAX_INPUT_BYTES: variable("Bytes of one job's input, as JSON.", '262144', integer(2, 67_108_864)),
  MAX_OUTPUT_BYTES: variable("Bytes of one job's output, as JSON.", '1048576', integer(2, 67_108_864)),
  MAX_ARTIFACT_BYTES: variable(
    'Bytes of the largest file: an upload, or what a built-in handler stores.',
    String(10 * 1024 ** 3),
    integer(1, Number.MAX_SAFE_INTEGER),
  ),
  UPLOAD_QUOTA_BYTES: variable(
    'Bytes that the uploads of one workspace may take together.',
    String(100 * 1024 ** 3),
    integer(1, Number.MAX_SAFE_INTEGER),
  ),
  BUILT_IN_TYPES: variable(
    'Job types that the in-process worker may take; the others are left to workers of your own.',
    'all',
    builtInTypes(),
  ),
  FFMPEG_PATH: optional('The program ffmpeg, with ffprobe beside it. Default: the first one in the PATH.', path('the path of a program')),
  TRANSCRIBE_ENGINE: optional('What writes down what is said. Default: none, and such jobs wait for workers of your own.', engine()),
  TRANSCRIBE_ENGINE_KEY: optional('The key of that engine, sent as a bearer token.', engineKey()),
  TRANSLATE_ENGINE: optional('What translates texts. Default: none, and such jobs wait for workers of your own.', engine({ translates: true })),
  TRANSLATE_ENGINE_KEY: optional('The key of that engine.', engineKey()),
  SPEECH_ENGINE: optional('What speaks. Default: espeak-ng where it is installed, else none.', engine()),
  SPEECH_ENGINE_KEY: optional('The key of that engine.', engineKey()),
  SCRATCH_DIR: optional(
    'Folder for what the in-process worker has in hand: sources and results of media, as large as they are. Default: DATA_DIR/scratch.',
    path('the path of a folder'),
  ),
  RETENTION_DAYS: variable(
    'Days for which jobs are kept after their end, with all that hangs on them but the ledger; 0 keeps them for ever. A job type may say otherwise.',
    '90',
    integer(0, 36_500),
  ),
  RATE_LIMIT: variable(
    'Requests per minute for each key, not counting worker calls; 0 turns the limit off.',
    '6000',
    integer(0, 100_000_000),
  ),
  RATE_LIMIT_ANONYMOUS: variable(
    'GraphQL requests per minute for each address without a valid key; 0 turns the limit off.',
    '600',
    integer(0, 100_000_000),
  ),
  MAX_SOCKETS_PER_KEY: variable('WebSockets that one key may have open on this process.', '10000', integer(1, 1_000_000)),
  MAX_SUBSCRIPTIONS_PER_KEY: variable(
    'Subscriptions that one key may have open on this process, over sockets and event streams.',
    '10000',
    integer(1, 1_000_000),
  ),
  MAX_WAITING_CLAIMS_PER_KEY: variable(
    'Claims of one key that may wait for work on this process.',
    '1000',
    integer(1, 1_000_000),
  ),
  STALLED_SECONDS: variable(
    'How many seconds a watcher may read too slowly before its connection is closed.',
    '30',
    integer(1, 3_600),
  ),
  WORKER_CONCURRENCY: variable('Jobs that the in-process worker runs at once.', '4', integer(1, 1000)),
  DATABASE_POOL_SIZE: variable('Most connections from this process to Postgres.', '10', integer(2, 200)),
  DRAIN_SECONDS: variable(
    'How long a process that is told to stop by SIGTERM goes on serving, as not ready, until load balancers have noticed.',
    '5',
    integer(0, 600),
  ),
  STOP_SECONDS: variable(
    'How long what is under way may take to end after that, before the process exits anyway.',
    '15',
    integer(1, 600),
  ),
  METRICS_TOKEN: optional('What a scrape of /metrics has to send as a bearer token; open where it is not set.', apiKey()),
  LOG_LEVEL: variable(
    'Lowest severity that is logged.',
    'info',
    oneOf(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']),
  ),
  GRAPHIQL: variable('Whether /graphql shows GraphiQL to browsers.', 'true', boolean()),
  DASHBOARD: variable('Whether / shows the page, where people sign in with a key and see their jobs.', 'true', boolean()),
  INTROSPECTION: variable('Whether GraphQL introspection is allowed.', 'true', boolean()),
});

const configuration = environment
  // `when` runs this even if single values are invalid: an invalid value still counts as set, so it is never null here.
  .superRefine(checkTogether, { when: () => true })
  .transform((env) => ({
    port: env.PORT,
    host: env.HOST,
    /** Without a trailing slash. If PORT is 0, so is the port here: the real one is known only after listening. */
    publicUrl: env.PUBLIC_URL ?? `http://localhost:${env.PORT}`,
    /** Null means any. */
    corsOrigins: env.CORS_ORIGINS,
    /** Fastify's option of the same name. */
    trustProxy: env.TRUST_PROXY,
    /** Null means embedded. */
    databaseServer: env.DATABASE_URL,
    /** Null means in memory. */
    redisUrl: env.REDIS_URL,
    /** Absolute. */
    dataDir: env.DATA_DIR,
    /** Absolute. */
    artifactsDir: env.ARTIFACTS_DIR ?? join(env.DATA_DIR, 'artifacts'),
    /** Null means artifactsDir. */
    bucket: bucketOf(env),
    role: env.ROLE,
    jobTypesFile: env.JOB_TYPES,
    /** Absolute; null: none. */
    handlersFile: env.HANDLERS,
    adminApiKey: env.ADMIN_API_KEY,
    /** Null: /metrics is open. */
    metricsToken: env.METRICS_TOKEN,
    initialCredits: env.INITIAL_CREDITS,
    secrets: env.SECRET,
    /** Keyed by host name in lower case, without port. */
    compatHosts: env.COMPAT_HOSTS,
    compatDeprecation: env.COMPAT_DEPRECATION,
    compatSunset: env.COMPAT_SUNSET,
    outboundAllow: env.OUTBOUND_ALLOW,
    maxQueueLength: env.MAX_QUEUE_LENGTH,
    maxInputBytes: env.MAX_INPUT_BYTES,
    maxOutputBytes: env.MAX_OUTPUT_BYTES,
    maxArtifactBytes: env.MAX_ARTIFACT_BYTES,
    uploadQuotaBytes: env.UPLOAD_QUOTA_BYTES,
    builtInTypes: env.BUILT_IN_TYPES,
    /** Absolute; null means to look in the PATH. */
    ffmpegPath: env.FFMPEG_PATH,
    /** Null: none. */
    engines: {
      transcribe: readEngine(env.TRANSCRIBE_ENGINE, env.TRANSCRIBE_ENGINE_KEY),
      translate: readEngine(env.TRANSLATE_ENGINE, env.TRANSLATE_ENGINE_KEY),
      speech: readEngine(env.SPEECH_ENGINE, env.SPEECH_ENGINE_KEY),
    },
    /** Absolute. */
    scratchDir: env.SCRATCH_DIR ?? join(env.DATA_DIR, 'scratch'),
    /** Whether somebody has named it, and so relies on it. */
    namesScratchDir: env.SCRATCH_DIR !== null,
    /** Days after the end of a job; 0 means for ever. */
    retentionDays: env.RETENTION_DAYS,
    /** Requests per minute for each key; 0 means unlimited. */
    rateLimit: env.RATE_LIMIT,
    /** Requests per minute for each address that sends no valid key; 0 means unlimited. */
    rateLimitAnonymous: env.RATE_LIMIT_ANONYMOUS,
    maxSocketsPerKey: env.MAX_SOCKETS_PER_KEY,
    maxSubscriptionsPerKey: env.MAX_SUBSCRIPTIONS_PER_KEY,
    maxWaitingClaimsPerKey: env.MAX_WAITING_CLAIMS_PER_KEY,
    stalledSeconds: env.STALLED_SECONDS,
    workerConcurrency: env.WORKER_CONCURRENCY,
    databasePoolSize: env.DATABASE_POOL_SIZE,
    drainSeconds: env.DRAIN_SECONDS,
    stopSeconds: env.STOP_SECONDS,
    logLevel: env.LOG_LEVEL,
    graphiql: env.GRAPHIQL,
    dashboard: env.DASHBOARD,
    downloadOrigin: downloadOriginOf(bucketOf(env)),
    introspection: env.INTROSPECTION,
  }));

export type Config = z.output<typeof configuration>;

/** The environment variables in the order of the documentation, each with its meaning, bounds and default. */
export const configVariables: readonly { name: string; description: string }[] = Object.entries(environment.shape).map(
  ([name, schema]) => ({ name, description: schema.description ?? '' }),
);

/** The configuration is invalid. */
export class ConfigError extends Error {
  /** One line per mistake: the variable, the expected value and the actual one. Never contains a secret. */
  readonly lines: string[];

  constructor(lines: string[]) {
    super(['The configuration cannot be used:', ...lines].join('\n  '));
    this.name = 'ConfigError';
    this.lines = lines;
  }
}

/**
 * Reads the configuration from environment variables. An empty variable counts as not set.
 * @throws ConfigError that lists all mistakes
 */
export function loadConfig(env: NodeJS.ProcessEnv): Config {
  const set = Object.fromEntries(Object.entries(env).filter(([, value]) => value?.trim()));
  const parsed = configuration.safeParse(set);
  if (parsed.success) return parsed.data;
  throw new ConfigError(parsed.error.issues.map(({ path: [name], message }) => `${String(name)}: ${message}`));
}

function checkTogether(env: z.output<typeof environment>, context: z.RefinementCtx): void {
  const fault = (name: keyof typeof env, message: string) => context.addIssue({ code: 'custom', path: [name], message });
  if (env.DATABASE_URL !== null && env.SECRET === null) {
    fault('SECRET', 'required with DATABASE_URL, the same for every process. Make one: openssl rand -base64 48');
  }
  for (const name of ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY'] as const) {
    if (env.ARTIFACTS_URL !== null && env[name] === null) fault(name, 'required with ARTIFACTS_URL. Set it to that of a key for the bucket.');
  }
  if (env.ROLE === 'worker' && (env.DATABASE_URL === null || env.REDIS_URL === null)) {
    fault('ROLE', 'worker needs DATABASE_URL and REDIS_URL: the embedded database and bus serve only one process. Set both, or use all.');
  } else if (env.REDIS_URL !== null && env.DATABASE_URL === null) {
    fault('REDIS_URL', 'needs DATABASE_URL: the embedded database serves one process. Set both, or neither.');
  }
}

function bucketOf(env: z.output<typeof environment>): S3Settings | null {
  const { ARTIFACTS_URL: url, AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey } = env;
  if (url === null || accessKeyId === null || secretAccessKey === null) return null;
  const endpoint = env.AWS_ENDPOINT_URL;
  return {
    ...url,
    endpoint,
    region: env.AWS_REGION,
    pathStyle: env.ARTIFACTS_PATH_STYLE ?? endpoint !== null,
    accessKeyId,
    secretAccessKey,
    sessionToken: env.AWS_SESSION_TOKEN,
    partBytes: 8 * 1024 ** 2,
    redirects: env.ARTIFACTS_REDIRECT,
  };
}

/** Where browsers are sent for files; null where they stay here. */
function downloadOriginOf(bucket: S3Settings | null): string | null {
  return bucket?.redirects === true ? urlOfBucket(bucket).origin : null;
}

/** A variable with a default, which is given as text. */
function variable<Value>(meaning: string, fallback: string, value: z.ZodType<Value, string>) {
  const description = `${meaning} Expected: ${value.description}. Default: ${fallback || 'none'}.`;
  return value.prefault(fallback).describe(description);
}

function optional<Value>(meaning: string, value: z.ZodType<Value, string>) {
  return value.nullable().default(null).describe(`${meaning} Expected: ${value.description}.`);
}

function isRedisUrl(text: string): boolean {
  return Boolean(parseRedisUrl(text));
}
