import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, inject } from 'vitest';
import { type App, startApp } from '../../src/server/app.ts';
import { loadConfig } from '../../src/server/configuration.ts';
import { adoptPglite } from '../../src/database/open.ts';
import { openPglite } from '../../src/database/orm.ts';
import type { JsonObject } from '../../src/jobs/model/job.ts';
import { type Log, silentLog } from '../../src/log.ts';
import type { Dialect } from '../../src/workspaces/dialect.ts';
import type { Scope } from '../../src/workspaces/scope.ts';
import { createApiKey } from '../../src/workspaces/create-api-key.ts';
import { createWorkspace } from '../../src/workspaces/create-workspace.ts';
import { figuresOf, untilNothingIsLeft } from './figures.ts';
import { onServer } from './template-servers.ts';
import { testDatabaseUrl, testRedisUrl } from './servers.ts';

/** A whole Longhaul in this process, on a database of its own, listening on a free port. */
export interface Longhaul extends App {
  adminKey: string;
  /** What another process of the same installation is configured with. */
  shared: Record<string, string>;
  /** Posts one GraphQL request and gives its answer, whatever its status. */
  graphql(query: string, variables?: object, key?: string | null): Promise<GraphQLAnswer>;
  /** A tenant of the test's own, with plenty of credits. */
  workspace(options?: { credits?: number; concurrencyLimit?: number }): Promise<TestWorkspace>;
}

export interface GraphQLAnswer {
  status: number;
  data: JsonObject | null;
  errors: { message: string; extensions: JsonObject; path?: string[] }[];
}

export interface TestWorkspace {
  id: string;
  /** Makes a key of this workspace; READ, WRITE and WORK where no scopes are named. */
  key(options?: { scopes?: Scope[]; dialect?: Dialect; secret?: string }): Promise<string>;
}

export const backend = process.env['TEST_BACKEND'] === 'servers' ? 'servers' : 'embedded';

/**
 * Starts one; stop it in `afterAll`. Without a worker of its own (ROLE=api), so that a test decides who claims.
 *
 * @param env variables of the configuration
 * @param options `log` in place of silence; `sharing`: another one of the same installation (servers only), which
 *   stops first
 */
export async function startLonghaul(
  env: Record<string, string> = {},
  { log = silentLog, sharing }: { log?: Log; sharing?: Longhaul } = {},
): Promise<Longhaul> {
  const folder = await mkdtemp(join(tmpdir(), 'longhaul-test-'));
  const adminKey = sharing?.adminKey ?? `lh_${randomBytes(32).toString('hex')}`;
  const database = backend === 'servers' && sharing === undefined ? await copyDatabase() : null;
  const shared = sharing?.shared ?? {
    ADMIN_API_KEY: adminKey,
    ARTIFACTS_DIR: join(folder, 'artifacts'),
    ...(database === null
      ? {}
      : { DATABASE_URL: database.url, REDIS_URL: testRedisUrl, SECRET: randomBytes(32).toString('hex') }),
  };
  const config = loadConfig({ PORT: '0', DATA_DIR: folder, ROLE: 'api', ...shared, ...env });
  const app = await startApp(config, {
    log,
    onFatal: (reason) => {
      throw reason;
    },
    ...(backend === 'embedded' ? { openDatabase: openTemplate } : {}),
  });
  let stopped: Promise<void> | null = null;
  const stop = async () => {
    await app.stop();
    // Whoever watched has left by now: what is left over would be a leak.
    expect(app.services.jobs.watched.jobs).toBe(0);
    expect(app.services.jobs.watched.workspaces).toBe(0);
    await database?.drop();
    await rm(folder, { recursive: true, force: true });
  };
  return {
    ...app,
    adminKey,
    shared,
    graphql: (query, variables = {}, key = adminKey) => post(app.url, query, variables, key),
    workspace: (options) => makeWorkspace(app, options),
    stop: () => (stopped ??= stop()),
  };
}

let shared: Promise<Longhaul> | null = null;

/**
 * The one of this worker, for files that need nothing of their own but workspaces. It is started for the first of them
 * and ends with the worker; `stop` in `afterAll` checks that the file has left nothing open.
 */
export async function sharedLonghaul(): Promise<Longhaul> {
  shared ??= startLonghaul();
  const longhaul = await shared;
  globalThis.stopSharedLonghaul = longhaul.stop;
  const before = await figuresOf(longhaul);
  return { ...longhaul, stop: () => untilNothingIsLeft(longhaul, before) };
}

async function openTemplate() {
  const archive = new Blob([await readFile(inject('pgliteTemplate'))]);
  return adoptPglite(await openPglite(null, { loadDataDir: archive }));
}

export async function copyDatabase(): Promise<{ url: string; drop: () => Promise<void> }> {
  const name = `longhaul_test_${randomBytes(6).toString('hex')}`;
  await onServer(`CREATE DATABASE ${name} TEMPLATE ${inject('databaseTemplate')}`);
  const url = new URL(testDatabaseUrl);
  url.pathname = name;
  return { url: url.href, drop: () => onServer(`DROP DATABASE ${name} WITH (FORCE)`) };
}

async function post(url: string, query: string, variables: object, key: string | null): Promise<GraphQLAnswer> {
  const response = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(key === null ? {} : { authorization: `Bearer ${key}` }) },
    body: JSON.stringify({ query, variables }),
  });
  const { data = null, errors = [] } = await response.json();
  return { status: response.status, data, errors };
}

const usualScopes: Scope[] = ['READ', 'WRITE', 'WORK'];

async function makeWorkspace(
  { services }: App,
  options: { credits?: number; concurrencyLimit?: number } = {},
): Promise<TestWorkspace> {
  const { database } = services;
  const { id } = await createWorkspace(database, { name: 'test', credits: 1_000_000, ...options });
  return {
    id,
    key: async ({ scopes = usualScopes, ...rest } = {}) => {
      const { secret } = await createApiKey(database, { workspaceId: id, name: 'test', scopes, ...rest });
      return secret;
    },
  };
}
