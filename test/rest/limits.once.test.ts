import { afterEach, expect, test } from 'vitest';
import { Tenant } from '../support/domain.ts';
import { eventually } from '../support/eventually.ts';
import { type Longhaul, startLonghaul } from '../support/longhaul.ts';
import { rest } from '../support/rest.ts';

let longhaul: Longhaul;
afterEach(() => longhaul.stop());

async function start(env: Record<string, string>) {
  longhaul = await startLonghaul(env);
  const workspace = await longhaul.workspace();
  const tenant = Tenant.of(longhaul, workspace.id);
  return { workspace, tenant, key: await workspace.key() };
}

test('each dialect says in its own form that a key has made its requests, and those that document it count down', async () => {
  const { workspace, tenant } = await start({ RATE_LIMIT: '2' });
  const job = await tenant.create();
  const paths = {
    VIDOCU: `/vidocu/v1/jobs/${job.id}`,
    VIDEOCONDUIT: `/videoconduit/v1/jobs/${job.id}`,
    VYDRA: `/vydra/api/v1/jobs/${job.id}`,
  } as const;
  const seconds = expect.any(Number);
  const bodies = {
    VIDOCU: { error: { code: 'rate_limit_exceeded', message: expect.any(String) } },
    VIDEOCONDUIT: { detail: expect.stringMatching(/^Rate limit exceeded\. Retry after \d+ seconds\.$/), code: 'rate_limited', retry_after: seconds },
    VYDRA: { error: 'Rate limit exceeded', code: 'RATE_LIMIT_EXCEEDED', retryAfter: seconds, limits: { type: 'minute', limit: 2, used: 2 } },
  };
  for (const dialect of ['VIDOCU', 'VIDEOCONDUIT', 'VYDRA'] as const) {
    const key = await workspace.key({ dialect });
    const ask = () => rest(longhaul.url + paths[dialect], { key });
    const first = await ask();
    const second = await ask();
    const third = await ask();
    expect([first.status, second.status, third.status]).toEqual([200, 200, 429]);
    expect(third.body).toEqual(bodies[dialect]);
    expect(Number(third.headers.get('retry-after'))).toBeGreaterThan(0);
    const shown = [first, second, third].map(({ headers }) => headers.get('x-ratelimit-remaining'));
    expect(shown).toEqual(dialect === 'VIDOCU' ? [null, null, null] : ['1', '0', '0']);
    if (dialect === 'VIDOCU') continue;
    expect(first.headers.get('x-ratelimit-limit')).toBe('2');
    expect(Number(first.headers.get('x-ratelimit-reset')) * 1_000).toBeGreaterThan(Date.now());
  }
  const key = await workspace.key({ dialect: 'REVID' });
  const ask = () =>
    rest(`${longhaul.url}/revid/paid/get/job/status`, { json: { job_id: job.id }, headers: { 'x-api-key': key } });
  await ask();
  await ask();
  expect(await ask()).toMatchObject({ status: 429, body: { code: 429, message: expect.any(String) } });
});

test('a request that is held, or answered with 304, counts once', async () => {
  const { tenant, key } = await start({ RATE_LIMIT: '4' });
  const job = await tenant.create();
  const url = `${longhaul.url}/vydra/api/v1/jobs/${job.id}`;
  const etag = (await rest(url, { key })).headers.get('etag') ?? '';
  await rest(url, { key, headers: { 'if-none-match': etag } });
  const held = rest(url, { key, headers: { prefer: 'wait=30', 'if-none-match': etag } });
  await eventually(() => expect(longhaul.services.jobs.watched.jobs).toBe(1));
  await tenant.cancel(job.id);
  expect((await held).headers.get('x-ratelimit-remaining')).toBe('1');
  expect((await rest(url, { key })).status).toBe(200);
  expect((await rest(url, { key })).status).toBe(429);
});

test('a process that stops answers whoever it held with what there is', async () => {
  const { tenant, key } = await start({});
  const job = await tenant.create();
  const url = `${longhaul.url}/videoconduit/v1/jobs/${job.id}`;
  const held = rest(url, { key, headers: { prefer: 'wait=30' } });
  await eventually(() => expect(longhaul.services.jobs.watched.jobs).toBe(1));
  await longhaul.stop();
  expect(await held).toMatchObject({ status: 200, body: { status: 'pending' } });
});

test('clients of a dialect that is to end are told so, and the operator sees that they are there', async () => {
  const { tenant, key } = await start({ COMPAT_DEPRECATION: 'vydra=2026-12-01', COMPAT_SUNSET: 'vydra=2027-06-30' });
  const job = await tenant.create();
  const { headers } = await rest(`${longhaul.url}/vydra/api/v1/jobs/${job.id}`, { key });
  // RFC 9745, section 2.1; RFC 8594, section 3.
  expect(headers.get('deprecation')).toBe('@1796083200');
  expect(headers.get('sunset')).toBe('Wed, 30 Jun 2027 00:00:00 GMT');
  const other = await rest(`${longhaul.url}/videoconduit/v1/jobs/${job.id}`, { key });
  expect([other.headers.get('deprecation'), other.headers.get('sunset')]).toEqual([null, null]);
  const metrics = await (await fetch(`${longhaul.url}/metrics`)).text();
  expect(metrics).toMatch(/longhaul_dialect_requests_total\{dialect="vydra",route="GET \/api\/v1\/jobs\/\{id\}"\} 1/);
});

test('so are those who ask for what there is not', async () => {
  const { key } = await start({ COMPAT_DEPRECATION: 'vydra=2026-12-01', COMPAT_SUNSET: 'vydra=2027-06-30' });
  const none = '/vydra/api/v1/jobs/%F0%9F';
  const refused = [
    { path: '/vydra/api/v1/nothing', method: 'GET', status: 404 },
    { path: '/vydra/api/v1/jobs', method: 'PUT', status: 405 },
    { path: '/api/v1/jobs', method: 'PUT', status: 405 },
    { path: '/vydra/api/v1/jobs/none', method: 'GET', status: 404 },
    { path: none, method: 'GET', status: 404 },
    { path: none, method: 'PUT', status: 405 },
  ];
  for (const { path, method, status } of refused) {
    const answer = await rest(longhaul.url + path, { method, key });
    expect([path, method, answer.status]).toEqual([path, method, status]);
    expect(answer.headers.get('deprecation')).toBe('@1796083200');
    expect(answer.headers.get('sunset')).toBe('Wed, 30 Jun 2027 00:00:00 GMT');
  }
  const other = await rest(`${longhaul.url}/videoconduit/v1/nothing`, { key });
  expect([other.status, other.headers.get('deprecation'), other.headers.get('sunset')]).toEqual([404, null, null]);
});
