import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import fastify from 'fastify';
import { describe, expect, test } from 'vitest';
import { builtInNames } from '../../src/jobs/types/built-in.ts';
import { ConfigError, configVariables, loadConfig } from '../../src/server/configuration.ts';

const secret = 'a-secret-of-more-than-32-characters';
const postgres = 'postgres://longhaul:hunter2@db.internal:5432/longhaul';
const redis = 'redis://:hunter2@cache.internal:6379';

/** What is wrong with an environment; fails where nothing is. */
function linesOf(env: NodeJS.ProcessEnv): string[] {
  try {
    loadConfig(env);
  } catch (error) {
    if (error instanceof ConfigError) return error.lines;
    throw error;
  }
  throw new Error('This configuration was expected to be refused.');
}

describe('without any variable', () => {
  test('everything is embedded and listens on this machine only', () => {
    expect(loadConfig({})).toEqual({
      port: 4000,
      host: '127.0.0.1',
      publicUrl: 'http://localhost:4000',
      corsOrigins: null,
      trustProxy: false,
      databaseServer: null,
      redisUrl: null,
      dataDir: resolve('.data'),
      artifactsDir: resolve('.data/artifacts'),
      bucket: null,
      role: 'all',
      jobTypesFile: null,
      handlersFile: null,
      adminApiKey: null,
      initialCredits: 10_000,
      secrets: null,
      compatHosts: new Map(),
      outboundAllow: { hosts: new Set(), networks: [] },
      maxQueueLength: 100_000,
      maxInputBytes: 262_144,
      maxOutputBytes: 1_048_576,
      maxArtifactBytes: 10 * 1024 ** 3,
      uploadQuotaBytes: 100 * 1024 ** 3,
      builtInTypes: [...builtInNames],
      ffmpegPath: null,
      engines: { transcribe: null, translate: null, speech: null },
      scratchDir: resolve('.data/scratch'),
      namesScratchDir: false,
      retentionDays: 90,
      rateLimit: 6000,
      rateLimitAnonymous: 600,
      compatDeprecation: new Map(),
      compatSunset: new Map(),
      maxSocketsPerKey: 10_000,
      maxSubscriptionsPerKey: 10_000,
      maxWaitingClaimsPerKey: 1_000,
      stalledSeconds: 30,
      drainSeconds: 5,
      stopSeconds: 15,
      workerConcurrency: 4,
      databasePoolSize: 10,
      logLevel: 'info',
      metricsToken: null,
      graphiql: true,
      dashboard: true,
      downloadOrigin: null,
      introspection: true,
    });
  });

  test('an empty variable counts as not set', () => {
    const empty = Object.fromEntries(configVariables.map(({ name }) => [name, '']));
    expect(loadConfig(empty)).toEqual(loadConfig({}));
  });

  test('each variable is described with what it expects', () => {
    expect(configVariables).not.toHaveLength(0);
    for (const { name, description } of configVariables) {
      expect(name).toMatch(/^[A-Z_]+$/);
      expect(description).toMatch(/Expected: .+\.$/s);
    }
  });
});

describe('a configuration of several processes', () => {
  test('is taken with a database, a Redis and a secret', () => {
    const config = loadConfig({ DATABASE_URL: postgres, REDIS_URL: redis, SECRET: secret, ROLE: 'worker' });
    expect(config).toMatchObject({ databaseServer: { user: 'longhaul' }, redisUrl: redis, secrets: [secret], role: 'worker' });
  });

  test('is refused without a secret', () => {
    expect(linesOf({ DATABASE_URL: postgres })).toEqual([expect.stringMatching(/^SECRET: required with DATABASE_URL/)]);
  });

  test('is refused for a worker without the shared servers, with the reason', () => {
    for (const env of [{}, { REDIS_URL: redis }, { DATABASE_URL: postgres, SECRET: secret }]) {
      expect(linesOf({ ROLE: 'worker', ...env })).toEqual([
        'ROLE: worker needs DATABASE_URL and REDIS_URL: the embedded database and bus serve only one process. Set both, or use all.',
      ]);
    }
  });

  test('is refused with a Redis beside the embedded database', () => {
    expect(linesOf({ REDIS_URL: redis })).toEqual([expect.stringMatching(/^REDIS_URL: needs DATABASE_URL/)]);
  });
});

describe('a mistake', () => {
  test('is reported together with all others, those between variables too', () => {
    const lines = linesOf({ PORT: '70000', LOG_LEVEL: 'loud', DATABASE_URL: postgres, GRAPHIQL: 'maybe' });
    expect(lines).toEqual([
      'PORT: expected an integer from 0 to 65535, got "70000".',
      'LOG_LEVEL: expected one of fatal, error, warn, info, debug, trace, silent, got "loud".',
      'GRAPHIQL: expected true or false, got "maybe".',
      expect.stringMatching(/^SECRET: required/),
    ]);
  });

  test('stands in the message of the error, a line for each', () => {
    expect(() => loadConfig({ PORT: 'x', RATE_LIMIT: '-1' })).toThrow(/\n {2}PORT: .+\n {2}RATE_LIMIT: .+/);
  });

  test.each(['1e3', '0x10', '1.5', '-1', '１２', 'Infinity'])('integer %j is refused', (text) => {
    expect(linesOf({ MAX_INPUT_BYTES: text })).toEqual([
      `MAX_INPUT_BYTES: expected an integer from 2 to 67108864, got ${JSON.stringify(text)}.`,
    ]);
  });

  test.each([
    ['PORT', 0, 65_535],
    ['INITIAL_CREDITS', 0, 1_000_000_000],
    ['RATE_LIMIT', 0, 100_000_000],
    ['MAX_QUEUE_LENGTH', 1, 100_000_000],
    ['MAX_INPUT_BYTES', 2, 67_108_864],
    ['MAX_OUTPUT_BYTES', 2, 67_108_864],
    ['MAX_ARTIFACT_BYTES', 1, Number.MAX_SAFE_INTEGER],
    ['UPLOAD_QUOTA_BYTES', 1, Number.MAX_SAFE_INTEGER],
    ['WORKER_CONCURRENCY', 1, 1000],
    ['DATABASE_POOL_SIZE', 2, 200],
  ])('%s is taken from %d to %d and no further', (name, min, max) => {
    for (const within of [min, max]) expect(() => loadConfig({ [name]: String(within) })).not.toThrow();
    for (const beyond of [min - 1, max + 1]) expect(linesOf({ [name]: String(beyond) })).toHaveLength(1);
  });
});

describe('a secret', () => {
  test.each([
    ['SECRET', { SECRET: 'hunter2' }],
    ['SECRET', { SECRET: 'hunter2', DATABASE_URL: postgres }],
    ['SECRET', { SECRET: `${secret},hunter2` }],
    ['ADMIN_API_KEY', { ADMIN_API_KEY: 'hunter2' }],
    ['ADMIN_API_KEY', { ADMIN_API_KEY: 'hunter2 hunter2 hunter2 hunter2 hunter2' }],
    ['ADMIN_API_KEY', { ADMIN_API_KEY: `hunter2${'é'.repeat(40)}` }],
    ['DATABASE_URL', { DATABASE_URL: 'mysql://root:hunter2@db', SECRET: secret }],
    ['DATABASE_URL', { DATABASE_URL: 'hunter2:x@db/longhaul', SECRET: secret }],
    ['DATABASE_URL', { DATABASE_URL: 'postgres://root:hunter2@db:port/x', SECRET: secret }],
    ['REDIS_URL', { DATABASE_URL: postgres, SECRET: secret, REDIS_URL: 'http://:hunter2@cache' }],
    ['PUBLIC_URL', { PUBLIC_URL: 'https://me:hunter2@jobs.example.com' }],
    ['PUBLIC_URL', { PUBLIC_URL: 'https://jobs.example.com/?key=hunter2' }],
    ['OUTBOUND_ALLOW', { OUTBOUND_ALLOW: 'http://me:hunter2@media.internal' }],
    ['TRUST_PROXY', { TRUST_PROXY: 'me:hunter2@proxy' }],
  ])('in %s is not repeated in its error %#', (name, env) => {
    const lines = linesOf(env);
    expect(lines).toEqual([expect.stringMatching(new RegExp(`^${name}: `))]);
    expect(lines.join()).not.toContain('hunter2');
  });

  test('of 32 characters is taken as it is', () => {
    const key = '0123456789abcdef0123456789ABCDE!';
    expect(loadConfig({ ADMIN_API_KEY: key, SECRET: key })).toMatchObject({ adminApiKey: key, secrets: [key] });
  });
});

test('of several secrets with commas between them the first is the newest', () => {
  const [first, second] = [`new-${secret}`, `old-${secret}`];
  expect(loadConfig({ SECRET: `${first}, ${second}\n` }).secrets).toEqual([first, second]);
});

describe('the public URL', () => {
  test('follows the port', () => {
    expect(loadConfig({ PORT: '8080' }).publicUrl).toBe('http://localhost:8080');
  });

  test.each([
    ['https://jobs.example.com/', 'https://jobs.example.com'],
    ['HTTPS://Jobs.Example.com/longhaul//', 'https://jobs.example.com/longhaul'],
  ])('%s is handed out as %s', (text, url) => {
    expect(loadConfig({ PUBLIC_URL: text }).publicUrl).toBe(url);
  });

  test.each(['jobs.example.com', 'ftp://jobs.example.com', 'https://jobs.example.com/#top', 'https://', 'http:jobs'])(
    '%s is refused',
    (text) => expect(linesOf({ PUBLIC_URL: text })).toEqual([expect.stringContaining(`got "${text}"`)]),
  );
});

describe('trusted proxies', () => {
  test.each([
    ['none', '192.0.2.9'],
    ['false', '192.0.2.9'],
    ['0', '192.0.2.9'],
    ['TRUE', '203.0.113.1'],
    ['1', '10.0.0.1'],
    ['2', '203.0.113.2'],
    ['192.0.2.0/24, ::1 loopback', '10.0.0.1'],
    ['10.0.0.1', '192.0.2.9'],
  ])('%s make a request come from %s', async (text, address) => {
    const app = fastify({ trustProxy: loadConfig({ TRUST_PROXY: text }).trustProxy });
    app.get('/', (request) => request.ip);
    const headers = { 'x-forwarded-for': '203.0.113.1, 203.0.113.2, 10.0.0.1' };
    expect((await app.inject({ url: '/', headers, remoteAddress: '192.0.2.9' })).body).toBe(address);
    await app.close();
  });

  test.each(['all', '33', '10.0.0.0/33', '10.0.0.0/0', '10.0.0.0/8/8', 'proxy.internal', ',', '1.2.3'])(
    '%j is refused',
    (text) => expect(linesOf({ TRUST_PROXY: text })).toHaveLength(1),
  );
});

describe('hosts of dialects', () => {
  test('are read in any case', () => {
    const { compatHosts } = loadConfig({ COMPAT_HOSTS: 'API.vidocu.ai=Vidocu, vydra.app=vydra,' });
    expect([...compatHosts]).toEqual([
      ['api.vidocu.ai', 'VIDOCU'],
      ['vydra.app', 'VYDRA'],
    ]);
  });

  test.each([
    'api.vidocu.ai',
    'api.vidocu.ai=',
    'api.vidocu.ai=native',
    'api.vidocu.ai=vidocu=vydra',
    'api.vidocu.ai:443=vidocu',
    'https://api.vidocu.ai=vidocu',
    '=vidocu',
    'api.vidocu.ai=vidocu,API.VIDOCU.AI=vidocu',
  ])('%s is refused', (text) => expect(linesOf({ COMPAT_HOSTS: text })).toHaveLength(1));

  test('are faulted one by one', () => {
    expect(linesOf({ COMPAT_HOSTS: 'a=b,c=vydra,d' })).toHaveLength(2);
  });
});

describe('private addresses that may be reached', () => {
  test('are read with commas or spaces between them', () => {
    const { outboundAllow } = loadConfig({ OUTBOUND_ALLOW: 'Media.internal,10.0.0.0/8 ::1' });
    expect(outboundAllow.hosts).toEqual(new Set(['media.internal']));
    expect(outboundAllow.networks).toHaveLength(2);
  });

  test('are faulted one by one, with the entry', () => {
    expect(linesOf({ OUTBOUND_ALLOW: '10.0.0.0/99 media.internal *.internal' })).toEqual([
      expect.stringMatching(/^OUTBOUND_ALLOW: "10\.0\.0\.0\/99" is not/),
      expect.stringMatching(/^OUTBOUND_ALLOW: "\*\.internal" is not/),
    ]);
  });
});

test.each([
  ['true', true],
  ['1', true],
  ['False', false],
  ['0', false],
])('GRAPHIQL=%s means %s', (text, graphiql) => expect(loadConfig({ GRAPHIQL: text }).graphiql).toBe(graphiql));

test('LibreTranslate translates, and is refused as any other engine', () => {
  const url = 'libretranslate:http://localhost:5000';
  expect(loadConfig({ TRANSLATE_ENGINE: url }).engines.translate).toMatchObject({ kind: 'libretranslate' });
  expect(linesOf({ SPEECH_ENGINE: 'libretranslate:', TRANSCRIBE_ENGINE: url })).toEqual([
    expect.stringMatching(/^TRANSCRIBE_ENGINE: expected command:PROGRAM PARAMETERS or http:URL, /),
    expect.stringMatching(/^SPEECH_ENGINE: expected command:PROGRAM PARAMETERS or http:URL, /),
  ]);
});

test('artifacts lie beside the data unless they have a folder of their own', () => {
  expect(loadConfig({ DATA_DIR: '/data' })).toMatchObject({ dataDir: '/data', artifactsDir: '/data/artifacts' });
  expect(loadConfig({ DATA_DIR: '/data', ARTIFACTS_DIR: '/shared' }).artifactsDir).toBe('/shared');
});

describe('a bucket for the files', () => {
  const key = { AWS_ACCESS_KEY_ID: 'AKIAEXAMPLE', AWS_SECRET_ACCESS_KEY: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY' };
  const bucketOf = (env: Record<string, string>) => loadConfig({ ...key, ...env }).bucket;

  test('is Amazon’s in a region, or of any service that speaks S3', () => {
    expect(bucketOf({ ARTIFACTS_URL: 's3://films', AWS_REGION: 'eu-central-1' })).toEqual({
      bucket: 'films', prefix: '', endpoint: null, region: 'eu-central-1', pathStyle: false, partBytes: 8_388_608, redirects: false,
      accessKeyId: 'AKIAEXAMPLE', secretAccessKey: key.AWS_SECRET_ACCESS_KEY, sessionToken: null,
    });
    const own = { ARTIFACTS_URL: 's3://films/jobs//here/', AWS_ENDPOINT_URL: 'http://minio:9000/', AWS_SESSION_TOKEN: 'temporary', ARTIFACTS_REDIRECT: 'true' };
    expect(bucketOf(own)).toMatchObject({ prefix: 'jobs/here/', endpoint: 'http://minio:9000', region: 'us-east-1', pathStyle: true, redirects: true, sessionToken: 'temporary' });
    expect(bucketOf({ ...own, ARTIFACTS_PATH_STYLE: 'false' })).toMatchObject({ pathStyle: false });
  });

  test('is where browsers are sent for files, if downloads are redirected', () => {
    const films = { ARTIFACTS_URL: 's3://films', AWS_REGION: 'eu-central-1' };
    expect(loadConfig({ ...key, ...films }).downloadOrigin).toBeNull();
    expect(loadConfig({ ...key, ...films, ARTIFACTS_REDIRECT: 'true' }).downloadOrigin).toBe('https://films.s3.eu-central-1.amazonaws.com');
  });

  test('is none without ARTIFACTS_URL, whatever keys there are', () => expect(bucketOf({})).toBeNull());

  test('needs a key, and no fault shows a secret', () => {
    expect(linesOf({ ARTIFACTS_URL: 's3://films' })).toEqual([expect.stringMatching(/^AWS_ACCESS_KEY_ID: required/), expect.stringMatching(/^AWS_SECRET_ACCESS_KEY: required/)]);
    const [line, ...others] = linesOf({ ...key, ARTIFACTS_URL: 's3://films', AWS_SECRET_ACCESS_KEY: 'with a blank' });
    expect([line, others]).toEqual(['AWS_SECRET_ACCESS_KEY: expected visible ASCII, without white space.', []]);
  });

  test.each(['films', 'https://films.s3.amazonaws.com', 's3://', 's3://Films', 's3://films/../others', 's3://films/a b', 's3://films?versionId=1'])(
    'is not named by %s',
    (url) => expect(linesOf({ ...key, ARTIFACTS_URL: url })).toEqual([expect.stringMatching(/^ARTIFACTS_URL: expected s3:/)]),
  );
});

test('docker compose passes on every variable, but those of its image and those that come with a file or a bucket', () => {
  const compose = readFileSync(new URL('../../docker-compose.yml', import.meta.url), 'utf8');
  const passed = new Set([...compose.matchAll(/^ {2,6}([A-Z_]+):/gm)].map(([, name = '']) => name));
  const left = configVariables.map(({ name }) => name).filter((name) => !passed.has(name));
  expect(left.filter((name) => !/^(ARTIFACTS_|AWS_)/.test(name)).toSorted()).toEqual(['DATA_DIR', 'FFMPEG_PATH', 'HANDLERS', 'JOB_TYPES']);
});

test('docker compose waits ten seconds longer than the process takes to stop, whatever its variables say', () => {
  const compose = readFileSync(new URL('../../docker-compose.yml', import.meta.url), 'utf8');
  const [, grace = ''] = /^ {2}stop_grace_period: "(.*)"$/m.exec(compose) ?? [];
  const secondsWith = (env: Record<string, string>) =>
    grace
      .replaceAll(/\$\{(\w+):-(\d+)\}/g, (_all, name: string, fallback: string) => env[name] ?? fallback)
      .split('s')
      .reduce((sum, part) => sum + Number(part), 0);
  for (const env of [{}, { DRAIN_SECONDS: '30', STOP_SECONDS: '120' }]) {
    const { drainSeconds, stopSeconds } = loadConfig(env);
    expect(secondsWith(env)).toBe(drainSeconds + stopSeconds + 10);
  }
});
