import { isIP } from 'node:net';
import { join, resolve } from 'node:path';
import { z } from 'zod';
import { parseRedisUrl, redisUrlForm } from '../bus/redis-url.ts';
import { parseOutboundAllow } from '../outbound/addresses.ts';
import type { OutboundAllow } from '../outbound/addresses.ts';
import { dialects } from '../workspaces/dialect.ts';
import type { Dialect } from '../workspaces/dialect.ts';

const vendors = dialects.filter((dialect) => dialect !== 'NATIVE');
const vendorNames = vendors.join(', ').toLowerCase();

const environment = z.object({
  PORT: variable('Port to listen on; 0 takes any free one.', '4000', integer(0, 65_535)),
  HOST: variable('Address to listen on.', '127.0.0.1', pattern('a host name or an IP address', /^[\w.:%-]+$/)),
  PUBLIC_URL: optional('Base of the URLs that are handed out. Default: http://localhost:PORT.', publicUrl()),
  TRUST_PROXY: variable(
    'Proxies whose forwarded headers are believed. A number, and true, only where nobody can reach the port past them.',
    'none',
    trustProxy(),
  ),
  DATABASE_URL: optional('Postgres. Default: embedded, in DATA_DIR.', serverUrl('postgres', 'postgresql')),
  REDIS_URL: optional('Redis, for more than one process. Default: in memory.', redisUrl()),
  DATA_DIR: variable('Folder of the embedded database and the generated secret.', '.data', folder()),
  ARTIFACTS_DIR: optional(
    'Folder of the result files, the same volume for every process. Default: DATA_DIR/artifacts.',
    folder(),
  ),
  ROLE: variable('What this process does: serve, work, or both.', 'all', oneOf(['all', 'api', 'worker'])),
  JOB_TYPES: optional('File of job types that adds to or changes the shipped ones. Default: none.', path()),
  ADMIN_API_KEY: optional(
    'A key with every scope in the workspace `default`. Default: made and printed on first start.',
    secret('of visible ASCII, without white space', /^[\x21-\x7e]*$/),
  ),
  INITIAL_CREDITS: variable(
    'Credits of the workspace `default` on first start.',
    '10000',
    integer(0, 1_000_000_000),
  ),
  SECRET: optional('Signs download URLs and tokens. Default: kept in DATA_DIR; required with DATABASE_URL.', secret()),
  COMPAT_HOSTS: variable('Host names that speak a dialect.', '', compatHosts()),
  COMPAT_DEPRECATION: variable(
    'Since when clients of a dialect are told (header Deprecation) to move on.',
    '',
    compatDates(),
  ),
  COMPAT_SUNSET: variable('When a dialect may be gone (header Sunset).', '', compatDates()),
  OUTBOUND_ALLOW: variable('What webhooks and downloads may reach although private.', '', outboundAllow()),
  MAX_QUEUE_LENGTH: variable('Pending jobs that a workspace may have.', '100000', integer(1, 100_000_000)),
  MAX_INPUT_BYTES: variable("Bytes of one job's input, as JSON.", '262144', integer(2, 67_108_864)),
  MAX_OUTPUT_BYTES: variable("Bytes of one job's output, as JSON.", '1048576', integer(2, 67_108_864)),
  MAX_ARTIFACT_BYTES: variable(
    'Bytes of the largest file that a built-in handler stores.',
    String(10 * 1024 ** 3),
    integer(1, Number.MAX_SAFE_INTEGER),
  ),
  RATE_LIMIT: variable(
    'Requests a minute for each key, worker calls not counted; 0 turns it off.',
    '6000',
    integer(0, 100_000_000),
  ),
  RATE_LIMIT_ANONYMOUS: variable(
    'GraphQL requests a minute for each address without a valid key; 0 turns it off.',
    '600',
    integer(0, 100_000_000),
  ),
  MAX_SOCKETS_PER_KEY: variable('WebSockets that one key may have open on this process.', '20000', integer(1, 1_000_000)),
  MAX_SUBSCRIPTIONS_PER_KEY: variable(
    'Subscriptions that one key may have open on this process, over sockets and event streams.',
    '50000',
    integer(1, 1_000_000),
  ),
  STALLED_SECONDS: variable(
    'How long a watcher may read too slowly before its connection is closed.',
    '30',
    integer(1, 3_600),
  ),
  WORKER_CONCURRENCY: variable('Jobs that the in-process worker runs at once.', '4', integer(1, 1000)),
  DATABASE_POOL_SIZE: variable('Connections to Postgres of this process, at most.', '10', integer(2, 200)),
  LOG_LEVEL: variable(
    'Least severe messages that are logged.',
    'info',
    oneOf(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']),
  ),
  GRAPHIQL: variable('Whether /graphql shows GraphiQL to browsers.', 'true', boolean()),
  INTROSPECTION: variable('Whether the GraphQL schema can be asked for.', 'true', boolean()),
});

const configuration = environment
  // Even when single values are wrong (`when`): a wrong value is present all the same, and never null here.
  .superRefine(checkTogether, { when: () => true })
  .transform((env) => ({
    port: env.PORT,
    host: env.HOST,
    /** Without a slash at the end. With PORT 0 it says so: the port is known only once it listens. */
    publicUrl: env.PUBLIC_URL ?? `http://localhost:${env.PORT}`,
    /** As Fastify takes it. */
    trustProxy: env.TRUST_PROXY,
    /** Null: embedded. */
    databaseUrl: env.DATABASE_URL,
    /** Null: in memory. */
    redisUrl: env.REDIS_URL,
    /** Absolute. */
    dataDir: env.DATA_DIR,
    /** Absolute. */
    artifactsDir: env.ARTIFACTS_DIR ?? join(env.DATA_DIR, 'artifacts'),
    role: env.ROLE,
    jobTypesFile: env.JOB_TYPES,
    adminApiKey: env.ADMIN_API_KEY,
    initialCredits: env.INITIAL_CREDITS,
    secret: env.SECRET,
    /** By host name in lower case, without port. */
    compatHosts: env.COMPAT_HOSTS,
    compatDeprecation: env.COMPAT_DEPRECATION,
    compatSunset: env.COMPAT_SUNSET,
    outboundAllow: env.OUTBOUND_ALLOW,
    maxQueueLength: env.MAX_QUEUE_LENGTH,
    maxInputBytes: env.MAX_INPUT_BYTES,
    maxOutputBytes: env.MAX_OUTPUT_BYTES,
    maxArtifactBytes: env.MAX_ARTIFACT_BYTES,
    /** Requests a minute; 0: unlimited. */
    rateLimit: env.RATE_LIMIT,
    /** Requests a minute of each address without a valid key; 0: unlimited. */
    rateLimitAnonymous: env.RATE_LIMIT_ANONYMOUS,
    maxSocketsPerKey: env.MAX_SOCKETS_PER_KEY,
    maxSubscriptionsPerKey: env.MAX_SUBSCRIPTIONS_PER_KEY,
    stalledSeconds: env.STALLED_SECONDS,
    workerConcurrency: env.WORKER_CONCURRENCY,
    databasePoolSize: env.DATABASE_POOL_SIZE,
    logLevel: env.LOG_LEVEL,
    graphiql: env.GRAPHIQL,
    introspection: env.INTROSPECTION,
  }));

export type Config = z.output<typeof configuration>;

/** The variables of the environment in the order of the documentation, each with its meaning, bounds and default. */
export const configVariables: readonly { name: string; description: string }[] = Object.entries(environment.shape).map(
  ([name, schema]) => ({ name, description: schema.description ?? '' }),
);

/** A configuration that cannot be used. */
export class ConfigError extends Error {
  /** One for each mistake: the variable, what is expected, what it is. Never a secret. */
  readonly lines: string[];

  constructor(lines: string[]) {
    super(['The configuration cannot be used:', ...lines].join('\n  '));
    this.name = 'ConfigError';
    this.lines = lines;
  }
}

/**
 * Reads the configuration from environment variables. An empty one counts as not set.
 * @throws ConfigError that names all mistakes.
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
  if (env.ROLE === 'worker' && (env.DATABASE_URL === null || env.REDIS_URL === null)) {
    fault('ROLE', 'worker needs DATABASE_URL and REDIS_URL: what is embedded serves one process. Set both, or use all.');
  } else if (env.REDIS_URL !== null && env.DATABASE_URL === null) {
    fault('REDIS_URL', 'needs DATABASE_URL: the embedded database serves one process. Set both, or neither.');
  }
}

/** What a variable's text may be, and how it is read. */
interface Reader<T> {
  /** Completes "expected …". */
  expects: string;
  /** Undefined where the text is not as expected; `fault` says more than that, once for each mistake. */
  read(text: string, fault: (message: string) => void): T | undefined;
  /** False keeps the value out of the faults: it is, or holds, a secret. */
  shown?: false;
}

function variable<T>(meaning: string, fallback: string, reader: Reader<T>) {
  const description = `${meaning} Expected: ${reader.expects}. Default: ${fallback || 'none'}.`;
  return text(reader).prefault(fallback).meta({ description });
}

function optional<T>(meaning: string, reader: Reader<T>) {
  return text(reader).nullable().default(null).meta({ description: `${meaning} Expected: ${reader.expects}.` });
}

function text<T>({ expects, read, shown }: Reader<T>) {
  return z.string().transform((value, context): T => {
    let faults = 0;
    const fault = (message: string) => {
      faults += 1;
      context.addIssue({ code: 'custom', message });
    };
    const found = read(value, fault);
    if (found !== undefined && faults === 0) return found;
    if (faults === 0) fault(`expected ${expects}${shown === false ? '' : `, got ${quoted(value)}`}.`);
    return z.NEVER;
  });
}

/** The value for a message, unless it may hold credentials. */
function quoted(value: string): string {
  return /[@?]/.test(value) ? 'a value that may hold credentials (not shown)' : JSON.stringify(value.slice(0, 100));
}

function integer(min: number, max: number): Reader<number> {
  return {
    expects: `an integer from ${min} to ${max}`,
    read(value) {
      const number = /^\s*\d{1,16}\s*$/.test(value) ? Number(value) : NaN;
      return number >= min && number <= max ? number : undefined;
    },
  };
}

function boolean(): Reader<boolean> {
  const words = new Map([['true', true], ['1', true], ['false', false], ['0', false]]);
  return { expects: 'true or false', read: (value) => words.get(value.trim().toLowerCase()) };
}

function oneOf<const T extends string>(options: readonly T[]): Reader<T> {
  return {
    expects: `one of ${options.join(', ')}`,
    read: (value) => options.find((option) => option === value.trim().toLowerCase()),
  };
}

function pattern(expects: string, form: RegExp): Reader<string> {
  return { expects, read: (value) => form.exec(value.trim())?.[0] };
}

function path(): Reader<string> {
  return { expects: 'a path', read: (value) => resolve(value.trim()) };
}

function folder(): Reader<string> {
  return { ...path(), expects: 'the path of a folder' };
}

function secret(further = '', form = /^/): Reader<string> {
  const expects = ['at least 32 characters', further].join(' ').trim();
  return {
    expects,
    shown: false,
    read(value, fault) {
      if (value.length < 32) fault(`expected ${expects}, got ${value.length} characters.`);
      return form.test(value) ? value : undefined;
    },
  };
}

function publicUrl(): Reader<string> {
  return {
    expects: 'an http or https URL without credentials, query or fragment, for example https://jobs.example.com',
    read(value) {
      const url = /^https?:\/\/[^\s\\?#@]+$/i.test(value.trim()) ? URL.parse(value.trim()) : null;
      return url?.href.replace(/\/+$/, '');
    },
  };
}

/** Never shown: the password is somewhere in it, and a URL that cannot be read does not say where. */
function serverUrl(...schemes: [string, string]): Reader<string> {
  return {
    expects: `a URL that begins with ${schemes.join(':// or ')}://`,
    shown: false,
    read(value) {
      const url = URL.parse(value.trim());
      const isRight = schemes.some((scheme) => url?.protocol === `${scheme}:`) && value.includes('://');
      return isRight ? value.trim() : undefined;
    },
  };
}

/** Never shown, for the same reason. */
function redisUrl(): Reader<string> {
  return {
    expects: redisUrlForm,
    shown: false,
    read: (value) => (parseRedisUrl(value) ? value.trim() : undefined),
  };
}

type TrustProxy = boolean | string[] | ((address: string, hop: number) => boolean);

function trustProxy(): Reader<TrustProxy> {
  const named = new Set(['loopback', 'linklocal', 'uniquelocal']);
  return {
    expects: 'none, true, a number of proxies in a row from 1 to 32, or a list of IP addresses and CIDR ranges',
    read(value, fault) {
      const word = value.trim().toLowerCase();
      if (['none', 'false', '0'].includes(word)) return false;
      if (word === 'true') return true;
      if (/^\d+$/.test(word)) {
        const hops = Number(word);
        // As a function: Fastify takes a mere number for "believe nobody" (since 5.12).
        return hops <= 32 ? (_address, hop) => hop < hops : undefined;
      }
      const entries = items(word);
      for (const entry of entries) {
        if (named.has(entry) || isNetwork(entry)) continue;
        fault(`expected IP addresses or CIDR ranges, got ${quoted(entry)}.`);
      }
      return entries.length === 0 ? undefined : entries;
    },
  };
}

function isNetwork(entry: string): boolean {
  const [address = '', bits, ...rest] = entry.split('/');
  const width = { 0: 0, 4: 32, 6: 128 }[isIP(address)] ?? 0;
  if (bits === undefined) return width > 0;
  return rest.length === 0 && /^[1-9]\d{0,2}$/.test(bits) && Number(bits) <= width;
}

function compatHosts(): Reader<ReadonlyMap<string, Dialect>> {
  return {
    expects: `host=dialect pairs with a comma between them, dialects ${vendorNames}`,
    read(value, fault) {
      const hosts = new Map<string, Dialect>();
      for (const pair of items(value.toLowerCase())) {
        const [host = '', name, ...rest] = pair.split('=');
        const dialect = vendors.find((vendor) => vendor.toLowerCase() === name);
        if (!/^[a-z0-9_]([a-z0-9_.-]*[a-z0-9_])?$/.test(host) || dialect === undefined || rest.length > 0) {
          fault(`expected host=dialect (${vendorNames}; no port), got ${quoted(pair)}.`);
        } else if (hosts.has(host)) fault(`has ${host} twice. Give each host one dialect.`);
        else hosts.set(host, dialect);
      }
      return hosts;
    },
  };
}

function compatDates(): Reader<ReadonlyMap<Dialect, Date>> {
  return {
    expects: `dialect=date pairs with a comma between them, for example vidocu=2027-06-30, dialects ${vendorNames}`,
    read(value, fault) {
      const dates = new Map<Dialect, Date>();
      for (const pair of items(value.toLowerCase())) {
        const [name, day = '', ...rest] = pair.split('=');
        const dialect = vendors.find((vendor) => vendor.toLowerCase() === name);
        const date = new Date(/^\d{4}-\d\d-\d\d$/.test(day) ? `${day}T00:00:00Z` : NaN);
        if (Number.isNaN(date.getTime()) || dialect === undefined || rest.length > 0) {
          fault(`expected dialect=YYYY-MM-DD (${vendorNames}), got ${quoted(pair)}.`);
        } else if (dates.has(dialect)) fault(`has ${name} twice. Give each dialect one date.`);
        else dates.set(dialect, date);
      }
      return dates;
    },
  };
}

function outboundAllow(): Reader<OutboundAllow> {
  return {
    expects: 'host names, IP addresses and CIDR ranges with commas or spaces between them',
    read(value, fault) {
      const readable = items(value).filter((entry) => {
        const problem = outboundProblem(entry);
        if (problem !== null) fault(problem);
        return problem === null;
      });
      return parseOutboundAllow(readable);
    },
  };
}

function outboundProblem(entry: string): string | null {
  if (entry.includes('@')) return `expected a host name, an IP address or a CIDR range, got ${quoted(entry)}.`;
  try {
    parseOutboundAllow([entry]);
    return null;
  } catch (error) {
    return error instanceof Error ? error.message.replace('OUTBOUND_ALLOW: ', '') : String(error);
  }
}

/** The parts of a list with commas or white space between them. */
function items(value: string): string[] {
  return value.split(/[\s,]+/).filter((item) => item !== '');
}
