import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Job } from '../../src/jobs/model/job.ts';
import type { RestDialect } from '../../src/rest/core/rest-dialect.ts';
import { dialects } from '../../src/rest/dialects.ts';
import { sampleBody, wrongBodies } from '../../src/rest/openapi/samples.ts';
import type { Route } from '../../src/rest/core/call.ts';
import { vidocuId } from '../../src/rest/vidocu/vidocu-id.ts';
import { createApiKey } from '../../src/workspaces/create-api-key.ts';
import { revokeApiKey } from '../../src/workspaces/revoke-api-key.ts';
import { Tenant } from '../support/domain.ts';
import { type Longhaul, startLonghaul, type TestWorkspace } from '../support/longhaul.ts';
import { Described, openApiPath } from '../support/openapi.ts';
import { rest, type RestAnswer, type RestRequest } from '../support/rest.ts';

const described = await Described.read();

/** One that says no where it can: the smallest limits that there are. */
let strict: Longhaul;
let longhaul: Longhaul;
let workspace: TestWorkspace;
let tenant: Tenant;
let key: string;
let jobs: readonly Job[];
beforeAll(async () => {
  longhaul = await startLonghaul({ MAX_INPUT_BYTES: '1000' });
  workspace = await longhaul.workspace();
  tenant = Tenant.of(longhaul, workspace.id);
  key = await workspace.key();
  jobs = await inEveryState();
});
beforeAll(async () => {
  strict = await startLonghaul({ RATE_LIMIT: '1', MAX_QUEUE_LENGTH: '1' });
});
afterAll(() => longhaul.stop());
afterAll(() => strict.stop());

async function inEveryState(): Promise<Job[]> {
  const asked = { type: 'house-timelapse', input: { theme: 'A lighthouse' } };
  const reported = await tenant.running(asked);
  await tenant.report(reported.token, { step: 'drawing', message: 'The light', percentage: 45 });
  const between = await tenant.running({ type: 'download' });
  await tenant.fail(between.token);
  const failed = await tenant.running({ type: 'media/transcribe' });
  const cancelled = await tenant.running(asked);
  const outputs = [{ videoUrl: 'https://example.com/a.mp4', expires_at: 'tomorrow' }, 'done', null, [1, { deep: [null] }]];
  const completed = await Promise.all(
    outputs.map(async (output) => tenant.complete((await tenant.running({ type: 'transcribe' })).token, output)),
  );
  return [
    await tenant.create(asked),
    (await tenant.running(asked)).job,
    reported.job,
    between.job,
    await tenant.fail(failed.token, { code: 'BROKEN', retryable: false }),
    await tenant.cancel(cancelled.job.id),
    ...completed,
    await withFile((await tenant.running({ type: 'preview' })).token),
  ];
}

async function withFile(token: string): Promise<Job> {
  const job = await tenant.complete(token);
  const { database } = longhaul.services;
  await database.hot.query(`UPDATE job SET artifact_id = id, artifact_expires_at = now() + interval '1 h' WHERE id = $1`, [job.id]);
  return job;
}

interface Asked extends RestRequest {
  of?: Longhaul;
  /** In place of the path's parameter. */
  param?: string;
  query?: string;
}

/** Whoever asks an operation, and expects of every answer that the document tells of it. */
class Asker {
  readonly statuses = new Set<number>();
  readonly #dialect: RestDialect;
  readonly #route: Route;

  constructor(dialect: RestDialect, route: Route) {
    this.#dialect = dialect;
    this.#route = route;
  }

  /** With the right key and the right body, but for what is said. */
  async ask({ of = longhaul, param = randomBytes(6).toString('hex'), query = '', key: secret = key, ...request }: Asked = {}) {
    const { credential, prefix } = this.#dialect;
    const { method, path } = this.#route;
    const json = sampleBody(this.#route);
    const answer = await rest(`${of.url}${prefix}${path.replace(/\{\w+\}/, param)}${query}`, {
      method,
      ...(json === undefined || request.body !== undefined ? {} : { json }),
      ...request,
      headers: {
        ...(secret === '' ? {} : credential === 'bearer' ? { authorization: `Bearer ${secret}` } : { 'x-api-key': secret }),
        ...request.headers,
      },
    });
    described.expectAnswer(method, openApiPath(this.#dialect, this.#route), answer);
    this.statuses.add(answer.status);
    return answer;
  }

  /** For the job, as clients of the dialect name it. */
  about(job: Job, request: Asked = {}): Promise<RestAnswer> {
    const named = this.#dialect.name === 'VIDOCU' ? vidocuId(job) : job.id;
    return this.ask({ param: named, ...(this.#route.method === 'POST' ? { json: { job_id: job.id, id: 'mine' } } : {}), ...request });
  }
}

async function askWithWrongKeys(asker: Asker): Promise<void> {
  await asker.ask({ key: '' });
  await asker.ask({ key: 'k'.repeat(40) });
  await asker.ask({ key: await workspace.key({ scopes: ['WORK'] }) });
  const { database } = longhaul.services;
  const made = await createApiKey(database, { workspaceId: workspace.id, name: 'gone', scopes: ['READ', 'WRITE'] });
  await revokeApiKey(database, longhaul.services.authenticator, made.apiKey.id);
  await asker.ask({ key: made.secret });
}

async function askWithWrongBodies(asker: Asker, route: Route): Promise<void> {
  for (const json of wrongBodies(route)) await asker.ask({ json });
  if (route.body !== undefined) {
    await asker.ask({ body: '' });
    await asker.ask({ body: '{}', headers: { 'content-type': 'text/plain' } });
    await asker.ask({ body: '{', headers: { 'content-type': 'application/json' } });
  }
  if (route.method !== 'GET') {
    await asker.ask({ json: 'x'.repeat(80_000) });
    await asker.ask({ body: '{}', headers: { 'content-type': 'application/json', 'content-encoding': 'compress' } });
  }
}

/** Until the limits are reached; a submission finds the queue full before. */
async function askTooOften(asker: Asker): Promise<void> {
  const { id, key: newKey } = await strict.workspace();
  await Tenant.of(strict, id).create();
  const secret = await newKey();
  // A minute may end between two of them, and with it what was counted.
  const answers = [];
  for (let times = 0; times < 3; times += 1) answers.push(await asker.ask({ of: strict, key: secret }));
  expect(answers.map(({ status }) => status)).toContain(429);
}

/** While the database fails in one way or another, for a key that nobody knows yet. */
async function askInTrouble(asker: Asker): Promise<void> {
  const { database } = longhaul.services;
  const secrets = { 500: await workspace.key(), 503: await workspace.key() };
  for (const [sqlState, status] of [['22012', 500], ['57P03', 503]] as const) {
    await database.hot.query(`
      CREATE FUNCTION trouble() RETURNS boolean LANGUAGE plpgsql VOLATILE AS
      $$ BEGIN RAISE EXCEPTION 'on fire' USING ERRCODE = '${sqlState}'; END $$`);
    await database.hot.query('ALTER TABLE api_key RENAME TO api_key_away');
    await database.hot.query('CREATE VIEW api_key AS SELECT * FROM api_key_away WHERE trouble()');
    try {
      expect((await asker.ask({ key: secrets[status] })).status).toBe(status);
    } finally {
      await database.hot.query('DROP VIEW api_key');
      await database.hot.query('ALTER TABLE api_key_away RENAME TO api_key');
      await database.hot.query('DROP FUNCTION trouble');
    }
  }
}

async function askForJobs(asker: Asker, { method }: Route): Promise<void> {
  for (const job of jobs) {
    const { headers, status } = await asker.about(job);
    expect(status).toBe(200);
    const etag = headers.get('etag');
    if (etag !== null) expect((await asker.about(job, { headers: { 'if-none-match': etag } })).status).toBe(304);
  }
  for (const job of jobs.slice(-1)) await asker.about(job, { headers: { prefer: 'wait=30' } });
  await asker.ask(method === 'POST' ? { json: { job_id: 'none' } } : { param: '%F0%9F' });
}

async function askForLists(asker: Asker, { query, body }: Route): Promise<void> {
  expect((await asker.ask()).status).toBe(200);
  if (query !== undefined) {
    const queries = ['?limit=1', '?limit=100&status=failed', '?limit=0', '?status=x', '?cursor=x&offset=x'];
    for (const asked of queries) await asker.ask({ query: asked });
  }
  if (body !== undefined) expect((await asker.ask({ json: { since_seconds: 1e6, id: 'mine' } })).status).toBe(200);
}

async function askForNewJobs(asker: Asker, route: Route): Promise<void> {
  const { path } = route;
  await asker.ask({ param: 'the-same' });
  await asker.ask({ param: 'the-same' });
  if (path.includes('{')) await asker.ask({ param: '%F0%9F' });
  await asker.ask({ key: await (await longhaul.workspace({ credits: 0 })).key() });
  const headers = { 'idempotency-key': randomBytes(6).toString('hex') };
  await asker.ask({ headers });
  expect((await asker.ask({ headers, json: { ...sampleBody(route), more: 1 } })).status).toBe(409);
  expect((await asker.ask({ headers: { 'idempotency-key': '' } })).status).toBe(400);
}

async function askForCancellations(asker: Asker): Promise<void> {
  const job = await tenant.create();
  expect((await asker.about(job)).status).toBe(200);
  expect((await asker.about(job)).status).toBe(400);
  for (const each of jobs.slice(4)) await asker.about(each);
  await asker.ask();
  expect((await asker.about(await tenant.create({ input: {}, type: 'house-timelapse' }))).status).toBe(200);
}

async function askAll(asker: Asker, route: Route): Promise<void> {
  switch (route.kind) {
    case 'status':
      return askForJobs(asker, route);
    case 'list':
      return askForLists(asker, route);
    case 'submit':
      return askForNewJobs(asker, route);
    case 'cancel':
      return askForCancellations(asker);
    case 'other':
      return void (await asker.ask());
  }
}

describe.each(dialects)('$name', (dialect) => {
  test.each(dialect.routes)('$method $path answers in every state as schema/openapi.json says, and in no other way', async (route) => {
    const asker = new Asker(dialect, route);
    await askAll(asker, route);
    await askWithWrongKeys(asker);
    await askWithWrongBodies(asker, route);
    await askTooOften(asker);
    await askInTrouble(asker);
    const promised = described.statuses(route.method, openApiPath(dialect, route));
    expect([...asker.statuses].toSorted()).toEqual(promised.toSorted());
  });
});
