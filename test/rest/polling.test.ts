import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import type { Job } from '../../src/jobs/model/job.ts';
import type { Vendor } from '../../src/rest/core/dialect-profile.ts';
import { revokeApiKey } from '../../src/workspaces/revoke-api-key.ts';
import { endUnseen } from '../support/deleting.ts';
import { Tenant } from '../support/domain.ts';
import { eventually } from '../support/eventually.ts';
import { mayIdle } from '../support/lock-waits.ts';
import { type Longhaul, sharedLonghaul, type TestWorkspace } from '../support/longhaul.ts';
import { rest, type RestAnswer } from '../support/rest.ts';

let longhaul: Longhaul;
let workspace: TestWorkspace;
let tenant: Tenant;
let key: string;
beforeAll(async () => {
  longhaul = await sharedLonghaul();
  workspace = await longhaul.workspace();
  tenant = Tenant.of(longhaul, workspace.id);
  key = await workspace.key();
});
afterAll(() => longhaul.stop());

type Headers = Record<string, string>;

const pollers = [
  { dialect: 'vidocu', path: '/vidocu/v1/jobs/', showsProgress: true },
  { dialect: 'videoconduit', path: '/videoconduit/v1/jobs/', showsProgress: false },
  { dialect: 'vydra', path: '/vydra/api/v1/jobs/', showsProgress: true },
] as const;

const poll = (path: string, job: Job, headers: Headers = {}) => rest(longhaul.url + path + job.id, { key, headers });

const askRevid = (job: Job, headers: Headers = {}) =>
  rest(`${longhaul.url}/revid/paid/get/job/status`, {
    json: { job_id: job.id },
    headers: { 'x-api-key': key, ...headers },
  });

function tagOf({ headers }: RestAnswer): string {
  const tag = headers.get('etag') ?? '';
  expect(tag).toMatch(/^"[\x21\x23-\x7e]+"$/);
  return tag;
}

/** Resolves when an answer is held: its watch is bound, and what happens from now on ends it. */
const held = () => eventually(() => expect(longhaul.services.jobs.watched.jobs).toBe(1));

describe.each(pollers)('a poller of $dialect', ({ path, showsProgress }) => {
  test('is told that nothing changed, until something does', async () => {
    const { job, token } = await tenant.running();
    const first = await poll(path, job);
    const known = { 'if-none-match': tagOf(first) };
    const unchanged = await poll(path, job, known);
    expect(unchanged).toMatchObject({ status: 304, body: undefined });
    expect(unchanged.headers.get('etag')).toBe(first.headers.get('etag'));
    expect(unchanged.headers.get('cache-control')).toBe('no-store');
    expect(await poll(path, job, { 'if-none-match': `"other", W/${known['if-none-match']}` })).toMatchObject({ status: 304 });
    expect(await poll(path, job, { 'if-none-match': '*' })).toMatchObject({ status: 304 });

    await tenant.report(token, { step: 'working', percentage: 10 });
    if (!showsProgress) {
      expect((await poll(path, job, known)).status).toBe(304);
      await tenant.complete(token);
    }
    const changed = await poll(path, job, known);
    expect(changed.status).toBe(200);
    expect(tagOf(changed)).not.toBe(known['if-none-match']);
  });

  test('has a tag of its own: what another dialect shows of the job is another text', async () => {
    const job = await tenant.create();
    const tags = await Promise.all(pollers.map(async (each) => tagOf(await poll(each.path, job))));
    expect(new Set(tags).size).toBe(pollers.length);
  });

  test('that would wait is answered when the job goes on', async () => {
    const { job, token } = await tenant.running();
    const known = tagOf(await poll(path, job));
    const answer = poll(path, job, { prefer: 'wait=30', 'if-none-match': known });
    await held();
    await tenant.complete(token);
    const { status, headers, body } = await answer;
    expect(status).toBe(200);
    expect(headers.get('preference-applied')).toBe('wait=30');
    expect(body).toMatchObject({ status: 'completed' });
  });

  test('that would wait for a job that is deleted is told so at once', async () => {
    const { job } = await tenant.running();
    const known = tagOf(await poll(path, job));
    const answer = poll(path, job, { prefer: 'wait=30', 'if-none-match': known });
    await held();
    await endUnseen(longhaul, job);
    expect((await answer).status).toBe(404);
  });

  test('that would wait for what is over, or already another, is answered at once', async () => {
    const { job, token } = await tenant.running();
    const known = tagOf(await poll(path, job));
    await tenant.report(token, { percentage: 5 });
    if (!showsProgress) await tenant.complete(token);
    expect(await poll(path, job, { prefer: 'wait=30', 'if-none-match': known })).toMatchObject({ status: 200 });
    if (showsProgress) await tenant.complete(token);
    expect(await poll(path, job, { prefer: 'wait=30' })).toMatchObject({ status: 200 });
  });

  test('that waits in vain gets what it would have got, after the time that it named', async () => {
    const job = await tenant.create();
    const known = tagOf(await poll(path, job));
    const startedAt = performance.now();
    expect(await poll(path, job, { prefer: 'wait=1', 'if-none-match': known })).toMatchObject({ status: 304 });
    expect(performance.now() - startedAt).toBeGreaterThan(900);
    expect(await poll(path, job, { prefer: 'respond-async, wait="1"' })).toMatchObject({ status: 200 });
  });

  test('is not held for a preference that says nothing', async () => {
    const job = await tenant.create();
    for (const prefer of ['wait=0', 'wait=-5', 'wait', 'wait=soon', 'handling=lenient', 'await=30']) {
      const { status, headers } = await poll(path, job, { prefer });
      expect(status).toBe(200);
      expect(headers.get('preference-applied')).toBeNull();
    }
  });
});

test.each([
  { name: 'VideoConduit', ask: (job: Job, headers: Headers) => poll('/videoconduit/v1/jobs/', job, headers), ended: { status: 'completed' } },
  { name: 'RevidAPI', ask: askRevid, ended: { response: { job_status: 'done' } } },
])('$name shows no progress, so an answer is held while only that changes', async ({ ask, ended }) => {
  const { job, token } = await tenant.running();
  const answer = ask(job, { prefer: 'wait=30' });
  await held();
  await tenant.report(token, { step: 'working', percentage: 10 });
  // Watched beside the held answer: what comes here has come there.
  for await (const { version } of longhaul.services.jobs.watch(job.id, job.version)) if (version > job.version) break;
  await held();
  await tenant.complete(token);
  expect(await answer).toMatchObject({ status: 200, body: ended });
});

test('RevidAPI, which is asked by POST, holds its answer too, and is answered in full always', async () => {
  const { job, token } = await tenant.running();
  const answer = askRevid(job, { prefer: 'wait=30', 'if-none-match': '*' });
  await held();
  await tenant.complete(token);
  expect(await answer).toMatchObject({ status: 200, body: { response: { job_status: 'done' } } });
});

/** What is told at the end of the hold to a client that has a key of its own dialect. */
async function toldInTheEnd(dialect: Vendor, ask: (secret: string, job: Job) => Promise<RestAnswer>) {
  const { job, token } = await tenant.running();
  const secret = await workspace.key({ dialect });
  const answer = ask(secret, job);
  await held();
  const { database, authenticator } = longhaul.services;
  const found = await authenticator.find(secret);
  await revokeApiKey(database, authenticator, found?.id ?? '');
  await tenant.complete(token, { secret: 'of the workspace' });
  return answer;
}

describe('a key that is revoked while its answer is held opens nothing any more', () => {
  const prefer = 'wait=30';
  test.each([
    { ...pollers[0], dialect: 'VIDOCU', refused: { status: 401, body: { error: { code: 'authentication_error', message: 'Invalid or missing API key' } } } },
    { ...pollers[1], dialect: 'VIDEOCONDUIT', refused: { status: 403, body: { detail: 'This API key is deactivated', code: 'forbidden' } } },
    { ...pollers[2], dialect: 'VYDRA', refused: { status: 401, body: { error: 'API key was revoked', code: 'KEY_REVOKED' } } },
  ] as const)('in $path', async ({ dialect, path, refused }) => {
    const ask = (secret: string, job: Job) => rest(longhaul.url + path + job.id, { key: secret, headers: { prefer } });
    const { status, headers, body } = await toldInTheEnd(dialect, ask);
    expect({ status, body }).toEqual(refused);
    expect(headers.get('etag')).toBeNull();
  });

  test('in RevidAPI', async () => {
    const { status, body } = await toldInTheEnd('REVID', (secret, job) => askRevid(job, { prefer, 'x-api-key': secret }));
    expect({ status, body }).toEqual({ status: 401, body: { message: 'Unauthorized' } });
  });
});

test('a download that has expired changes the tag, though no version does', async () => {
  const { job, token } = await tenant.running();
  await tenant.complete(token);
  const { database } = longhaul.services;
  const expiry = (when: string) =>
    database.hot.query(`UPDATE job SET artifact_id = id, artifact_expires_at = now() + $2::interval WHERE id = $1`, [job.id, when]);
  const path = '/videoconduit/v1/jobs/';
  await expiry('1 hour');
  const before = await poll(path, job);
  expect(before.body).toMatchObject({ download_url: expect.stringContaining('http') });
  await expiry('-1 hour');
  const after = await poll(path, job, { 'if-none-match': tagOf(before) });
  expect(after).toMatchObject({ status: 200, body: { download_url: null } });
});

test('whoever hangs up while their answer is held leaves nothing behind', async () => {
  const job = await tenant.create();
  const leaving = new AbortController();
  const answer = fetch(`${longhaul.url}/vydra/api/v1/jobs/${job.id}`, {
    headers: { authorization: `Bearer ${key}`, prefer: 'wait=30' },
    signal: leaving.signal,
  });
  await held();
  leaving.abort();
  await expect(answer).rejects.toThrow();
  await eventually(() => expect(longhaul.services.jobs.watched.jobs).toBe(0));
});

test('polls that are in flight together share a statement', async () => {
  const jobs = await tenant.createAll(Array.from({ length: 20 }, () => ({})));
  const { authenticator, database, jobs: reads } = longhaul.services;
  // A key is looked up again after two seconds, and embedded nothing is read while the table is locked.
  const find = vi.spyOn(authenticator, 'find').mockResolvedValue(await authenticator.find(key));
  onTestFinished(() => find.mockRestore());
  const before = { ...reads.readCounts };
  const answers: Promise<RestAnswer>[] = [];
  // Nothing can be read while the table is locked, so that all of them are in flight at one time.
  await database.transaction(async (transaction) => {
    await transaction.query(mayIdle);
    await transaction.query('LOCK TABLE job IN ACCESS EXCLUSIVE MODE');
    for (let index = 0; index < 200; index += 1) {
      answers.push(poll('/vydra/api/v1/jobs/', jobs[index % jobs.length] ?? raise()));
    }
    await eventually(() => expect(reads.readCounts.reads - before.reads).toBe(200));
  });
  expect((await Promise.all(answers)).every(({ status }) => status === 200)).toBe(true);
  // Two that had begun, and one for all that came meanwhile.
  expect(reads.readCounts.statements - before.statements).toBeLessThanOrEqual(3);
});

test('a poll that starts after a commit sees it, however many others are under way', async () => {
  const { job, token } = await tenant.running();
  const others = Array.from({ length: 50 }, () => poll('/vydra/api/v1/jobs/', job));
  for (let percentage = 1; percentage <= 20; percentage += 1) {
    await tenant.report(token, { percentage });
    others.push(poll('/vydra/api/v1/jobs/', job));
    expect((await poll('/vydra/api/v1/jobs/', job)).body).toMatchObject({ progress: percentage });
  }
  await Promise.all(others);
});

function raise(): never {
  throw new Error('there is no such job');
}
