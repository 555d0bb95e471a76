import { randomBytes } from 'node:crypto';
import { openAsBlob } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, inject } from 'vitest';
import { type App, startApp } from '../../src/server/app.ts';
import { entities } from '../../src/server/entities.ts';
import { loadConfig } from '../../src/server/configuration.ts';
import { adoptPglite } from '../../src/database/open.ts';
import { openPglite } from '../../src/database/orm.ts';
import type { JsonObject } from '../../src/json.ts';
import { type Log, silentLog } from '../../src/log.ts';
import type { Dialect } from '../../src/workspaces/dialect.ts';
import type { Scope } from '../../src/workspaces/scope.ts';
import { createApiKey } from '../../src/workspaces/create-api-key.ts';
import { createWorkspace } from '../../src/workspaces/create-workspace.ts';
import { figuresOf, untilNothingIsLeft } from './figures.ts';
import { queryDatabase } from './query-database.ts';
import { onServer } from './template-servers.ts';
import { testDatabaseUrl, testRedisUrl } from './servers.ts';

/** A whole Longhaul in this process, with its own database, listening on a free port. */
export interface Longhaul extends App {
  adminKey: string;
  /** Configuration for another process of the same installation. */
  shared: Record<string, string>;
  /** Posts one GraphQL request and returns the answer, whatever its status. */
  graphql(query: string, variables?: object, key?: string | null): Promise<GraphQLAnswer>;
  /** Runs a statement that makes many rows: on servers without a limit of time. */
  fill(sql: string, parameters?: readonly unknown[]): Promise<void>;
  /** Creates a tenant for the test, with plenty of credits. */
  workspace(options?: { credits?: number; concurrencyLimit?: number }): Promise<TestWorkspace>;
}

export interface GraphQLAnswer {
  status: number;
  data: JsonObject | null;
  errors: { message: string; extensions: JsonObject; path?: string[] }[];
}

export interface TestWorkspace {
  id: string;
  /** Creates a key of this workspace. Default scopes: READ, WRITE and WORK. */
  key(options?: { scopes?: Scope[]; dialect?: Dialect; secret?: string }): Promise<string>;
}

export const backend = process.env['TEST_BACKEND'] === 'servers' ? 'servers' : 'embedded';

/**
 * Starts a Longhaul; stop it in `afterAll`. It has no worker (ROLE=api), so that tests decide who claims.
 *
 * @param env configuration variables
 * @param options `log`: silent by default; `sharing`: another Longhaul whose installation to join (servers only);
 *   `dashboardFolder`: the built page, in place of the program's own
 */
export async function startLonghaul(
  env: Record<string, string> = {},
  { log = silentLog, sharing, dashboardFolder }: { log?: Log; sharing?: Longhaul; dashboardFolder?: string } = {},
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
    ...(dashboardFolder === undefined ? {} : { dashboardFolder }),
  });
  let stopped: Promise<void> | null = null;
  const stop = async () => {
    await app.stop();
    // All watchers have left by now, so anything left is a leak.
    expect(app.services.jobs.watched.jobs).toBe(0);
    expect(app.services.jobs.watched.logs).toBe(0);
    expect(app.services.jobs.watched.workspaces).toBe(0);
    expect(app.services.jobs.watched.workers).toBe(0);
    await database?.drop();
    await rm(folder, { recursive: true, force: true });
  };
  return {
    ...app,
    adminKey,
    shared,
    graphql: (query, variables = {}, key = adminKey) => post(app.url, query, variables, key),
    fill: async (sql, parameters = []) => {
      const url = shared['DATABASE_URL'];
      await (url === undefined ? app.services.database.hot.query(sql, parameters) : queryDatabase(url, sql, parameters));
    },
    workspace: (options) => makeWorkspace(app, options),
    stop: () => (stopped ??= stop()),
  };
}

let shared: Promise<Longhaul> | null = null;

/**
 * The Longhaul that a worker's test files share, for files that need only workspaces of their own. It starts with the first
 * of them and stops with the worker; `stop` in `afterAll` checks that the file has left nothing open.
 */
export async function sharedLonghaul(): Promise<Longhaul> {
  shared ??= startLonghaul();
  const longhaul = await shared;
  globalThis.stopSharedLonghaul = longhaul.stop;
  const before = await figuresOf(longhaul);
  return { ...longhaul, stop: () => untilNothingIsLeft(longhaul, before) };
}

async function openTemplate() {
  // Node reads such a Blob in a fifth of the time that it takes for one of bytes in memory.
  const archive = await openAsBlob(inject('pgliteTemplate'));
  return adoptPglite(await openPglite(null, { loadDataDir: archive }), entities, silentLog);
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
  const { data = null, errors = [] }: Partial<GraphQLAnswer> = JSON.parse(await response.text());
  return { status: response.status, data, errors };
}

const usualScopes: Scope[] = ['READ', 'WRITE', 'WORK'];

async function makeWorkspace(
  { services }: App,
  options: { credits?: number; concurrencyLimit?: number } = {},
): Promise<TestWorkspace> {
  const { database } = services;
  const { id } = await createWorkspace(services, { name: 'test', credits: 1_000_000, ...options });
  return {
    id,
    key: async ({ scopes = usualScopes, ...rest } = {}) => {
      const { secret } = await createApiKey(database, { workspaceId: id, name: 'test', scopes, ...rest });
      return secret;
    },
  };
}
