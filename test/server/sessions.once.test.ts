import { once } from 'node:events';
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import { Secrets } from '../../src/secrets.ts';
import { revokeApiKey } from '../../src/workspaces/revoke-api-key.ts';
import { sessionSeconds, Sessions } from '../../src/workspaces/sessions.ts';
import { untilFigures } from '../support/figures.ts';
import { type Longhaul, startLonghaul, type TestWorkspace } from '../support/longhaul.ts';
import { Visitor } from '../support/visitor.ts';

const secret = randomBytes(32).toString('hex');

let longhaul: Longhaul;
let workspace: TestWorkspace;
let key: string;
let visitor: Visitor;
beforeAll(async () => {
  longhaul = await startLonghaul({ SECRET: secret });
  workspace = await longhaul.workspace();
  key = await workspace.key({ scopes: ['READ', 'WRITE'] });
  visitor = await signedIn(key);
});
afterAll(() => longhaul.stop());

const whoAmI = '{ viewer { scopes apiKey { prefix } workspace { id } } }';
const unauthenticated = { status: 401, data: null, errors: [{ extensions: { code: 'UNAUTHENTICATED' } }] };

async function signedIn(withKey: string, at = longhaul): Promise<Visitor> {
  const browser = new Visitor(at.url);
  expect((await browser.signIn({ key: withKey })).status).toBe(204);
  return browser;
}

/** A visitor whose cookie holds this in place of a session. */
function holding(session: string): Visitor {
  const other = new Visitor(longhaul.url);
  other.cookie = `${visitor.cookie?.split('=', 1)[0]}=${session}`;
  return other;
}

const sessionOf = ({ cookie }: Visitor) => cookie?.slice(cookie.indexOf('=') + 1) ?? '';

async function keyIdOf(browser: Visitor): Promise<string> {
  const session = await longhaul.services.sessions.read(sessionOf(browser));
  if (session === null) throw new Error('the visitor has no session');
  return session.apiKeyId;
}

/** A session that was opened so many seconds ago. */
async function openedBefore(seconds: number, browser = visitor): Promise<string> {
  const now = longhaul.services.clock.now().getTime() - seconds * 1_000;
  return new Sessions(new Secrets([secret]), { now: () => new Date(now) }).open(await keyIdOf(browser));
}

/** For the rest of the test, by the clock that sessions are judged by. */
function aMinuteLater(): void {
  const later = new Date(longhaul.services.clock.now().getTime() + 60_000);
  const now = vi.spyOn(longhaul.services.clock, 'now').mockReturnValue(later);
  onTestFinished(() => now.mockRestore());
}

async function accessToken(): Promise<string> {
  const made = await longhaul.graphql('mutation { createAccessToken(input: { tag: "a" }) { ... on CreateAccessTokenPayload { token } } }', {}, key);
  return Object(made.data).createAccessToken.token;
}

async function revokedKey(): Promise<string> {
  const revoked = await workspace.key();
  const found = await longhaul.services.authenticator.find(revoked);
  await revokeApiKey(longhaul.services.database, longhaul.services.authenticator, found?.id ?? '');
  return revoked;
}

describe('who signs in with a key', () => {
  test('is that key, over HTTP, event streams and sockets', async () => {
    const asked = await visitor.ask(whoAmI);
    expect(asked).toEqual(await longhaul.graphql(whoAmI, {}, key));
    expect(asked.data).toMatchObject({ viewer: { scopes: ['READ', 'WRITE'] } });
    const events = await visitor.post(
      { ...visitor.own, 'content-type': 'application/json', accept: 'text/event-stream' },
      JSON.stringify({ query: 'subscription { jobUpdates { cursor } }' }),
    );
    expect([events.status, events.headers.get('content-type')]).toEqual([200, expect.stringContaining('text/event-stream')]);
    await events.body?.cancel();
    expect((await visitor.socket()).refused).toBeNull();
    const { data } = await visitor.ask('{ viewer { expiresAt } }');
    const lasts = Date.parse(Object(data).viewer.expiresAt) - Date.now();
    expect(lasts).toBeGreaterThan((sessionSeconds - 600) * 1_000);
    expect(lasts).toBeLessThanOrEqual(sessionSeconds * 1_000);
  });

  test('counts against the limit of that key', async () => {
    const howMany = '{ viewer { rateLimit { remaining } } }';
    const before = Object((await longhaul.graphql(howMany, {}, key)).data).viewer.rateLimit.remaining;
    expect(await visitor.ask(howMany)).toMatchObject({ data: { viewer: { rateLimit: { remaining: before - 1 } } } });
  });

  test('holds a cookie that no script reads, no other site sends, and that ends within the day', async () => {
    const answer = await new Visitor(longhaul.url).signIn({ key });
    expect(answer.headers.getSetCookie()).toEqual([expect.stringMatching(/^longhaul_session_\w{8}=[\w.-]+; Max-Age=43200; HttpOnly; SameSite=Strict$/)]);
    expect(answer.headers.get('cache-control')).toBe('no-store');
    expect(answer.headers.get('access-control-allow-origin')).toBeNull();
  });

  test('signs out, and is nobody', async () => {
    const leaving = await signedIn(key);
    expect((await leaving.signOut({ ...leaving.own, 'sec-fetch-site': 'cross-site' })).status).toBe(403);
    expect((await leaving.signOut()).status).toBe(204);
    expect(leaving.cookie).toBeNull();
    expect(await leaving.ask(whoAmI)).toMatchObject(unauthenticated);
  });

  test('is nobody any more when the key is revoked, and an open socket is closed', async () => {
    const owner = await longhaul.workspace();
    const leaving = await signedIn(await owner.key());
    const { ws, refused } = await leaving.socket();
    expect(refused).toBeNull();
    const closed = once(ws, 'close');
    await revokeApiKey(longhaul.services.database, longhaul.services.authenticator, await keyIdOf(leaving));
    expect(await leaving.ask(whoAmI)).toMatchObject({ ...unauthenticated, errors: [{ message: expect.stringContaining('revoked') }] });
    expect((await leaving.socket()).refused).toBe(4401);
    expect([(await closed)[0], String((await closed)[1])]).toEqual([4401, 'Session ended']);
  });

  test('is nobody any more when the session is over, and an open socket is closed', async () => {
    const leaving = holding(await openedBefore(sessionSeconds - 60));
    const { ws, refused } = await leaving.socket();
    expect(refused).toBeNull();
    const closed = once(ws, 'close');
    aMinuteLater();
    expect((await closed)[0]).toBe(4401);
    expect(await leaving.ask(whoAmI)).toMatchObject({ ...unauthenticated, errors: [{ message: 'Your session has ended. Sign in again.' }] });
  });

  test('has its waiting claim ended when the session is over', async () => {
    const owner = await longhaul.workspace();
    const leaving = holding(await openedBefore(sessionSeconds - 60, await signedIn(await owner.key())));
    const claim = 'mutation { claimJobs(input: { types: ["demo"], workerId: "w", waitSeconds: 30 }) { __typename } }';
    const answer = leaving.ask(claim);
    await untilFigures(longhaul, { waiting_claims: 1 });
    aMinuteLater();
    expect(await answer).toMatchObject({
      status: 401,
      data: { claimJobs: null },
      errors: [{ message: 'Your session has ended. Sign in again.', extensions: { code: 'UNAUTHENTICATED' } }],
    });
  });
});

describe('a session is not taken', () => {
  const elsewhere: Record<string, Record<string, string>> = {
    'from another site': { 'sec-fetch-site': 'cross-site', origin: 'https://evil.example' },
    'from another port of this host': { 'sec-fetch-site': 'same-site', origin: 'http://localhost:1' },
    'from the address bar': { 'sec-fetch-site': 'none' },
    'from another site, by a browser that only sends Origin': { origin: 'https://evil.example' },
    'from another scheme of this host, by such a browser': { origin: 'ftp://localhost' },
    'from a sandboxed frame': { origin: 'null' },
    'from what sends neither Sec-Fetch-Site nor Origin': {},
    'from another site whose name begins with this one': { origin: 'http://localhost.evil.example' },
  };

  test.each(Object.entries(elsewhere))('%s', async (_where, headers) => {
    expect(await visitor.ask(whoAmI, headers)).toMatchObject(unauthenticated);
    expect((await visitor.get(whoAmI, headers)).status).toBe(401);
    expect((await visitor.socket(headers)).refused).toBe(4401);
    expect((await new Visitor(longhaul.url).signIn({ key }, headers)).status).toBe(403);
  });

  test('on a socket by Sec-Fetch-Site alone', async () => {
    expect((await visitor.socket({ 'sec-fetch-site': 'same-origin' })).refused).toBe(4401);
    expect((await visitor.socket({ origin: visitor.url })).refused).toBeNull();
  });

  test('from a page that a header of nobody’s calls ours', async () => {
    const headers = { origin: 'https://evil.example', 'x-forwarded-host': 'evil.example', 'x-forwarded-proto': 'https' };
    expect(await visitor.ask(whoAmI, headers)).toMatchObject(unauthenticated);
    expect((await visitor.socket(headers)).refused).toBe(4401);
  });

  test('that was changed, is over, or was signed for another purpose or by another installation', async () => {
    const session = sessionOf(visitor);
    const [head, payload = '', signature] = session.split('.');
    const claims: object = JSON.parse(Buffer.from(payload, 'base64url').toString());
    const later = Buffer.from(JSON.stringify({ ...claims, exp: 9_999_999_999 })).toString('base64url');
    const unsigned = Buffer.from('{"alg":"none"}').toString('base64url');
    const strangers = new Sessions(new Secrets([randomBytes(32).toString('hex')]), longhaul.services.clock);
    for (const bad of [`${head}.${later}.${signature}`, `${unsigned}.${payload}.`, 'x', await openedBefore(sessionSeconds + 1), await accessToken(), await strangers.open(await keyIdOf(visitor)), key]) {
      expect([bad, await holding(bad).ask(whoAmI)]).toMatchObject([bad, unauthenticated]);
      expect((await holding(bad).socket()).refused).toBe(4401);
    }
  });

  test('as a key, in headers or when a socket opens', async () => {
    const session = sessionOf(visitor);
    const nobody = new Visitor(longhaul.url);
    expect(await longhaul.graphql(whoAmI, {}, session)).toMatchObject(unauthenticated);
    expect(await nobody.ask(whoAmI, { 'x-api-key': session })).toMatchObject(unauthenticated);
    expect((await nobody.socket({}, { apiKey: session })).refused).toBe(4401);
    expect((await nobody.signIn({ key: session })).status).toBe(401);
    expect((await fetch(`${longhaul.url}/videoconduit/v1/jobs`, { headers: { cookie: visitor.cookie ?? '', ...visitor.own } })).status).toBe(401);
  });

  test('where a key is sent, whether it is right or wrong', async () => {
    const other = await (await longhaul.workspace()).key();
    for (const headers of [{ authorization: `Bearer ${other}` }, { 'x-api-key': other }]) {
      expect(await visitor.ask(whoAmI, { ...visitor.own, ...headers })).toEqual(await longhaul.graphql(whoAmI, {}, other));
    }
    const wrong = `lh_${'0'.repeat(64)}`;
    expect(await visitor.ask(whoAmI, { ...visitor.own, authorization: `Bearer ${wrong}` })).toMatchObject(unauthenticated);
    expect((await visitor.socket({ ...visitor.own, 'x-api-key': wrong })).refused).toBe(4401);
    expect((await visitor.socket(visitor.own, { apiKey: wrong })).refused).toBe(4401);
    expect(await visitor.ask(whoAmI, { ...visitor.own, 'x-api-key': '' })).toMatchObject({ status: 200, errors: [] });
  });

  test('for a mutation by GET, or a form', async () => {
    const create = 'mutation { createJob(input: { type: "demo" }) { __typename } }';
    const got = await visitor.get(create);
    expect([got.status, got.headers.get('allow')]).toEqual([405, 'POST']);
    for (const type of ['application/x-www-form-urlencoded', 'text/plain', 'multipart/form-data; boundary=x']) {
      expect((await visitor.post({ ...visitor.own, 'content-type': type }, JSON.stringify({ query: create }))).status, type).toBe(415);
      expect((await new Visitor(longhaul.url).signIn({ key }, { ...visitor.own, 'content-type': type })).status, type).toBe(415);
    }
  });
});

describe('nobody signs in', () => {
  test.each<{ what: string; body: () => object | Promise<object>; status: number; message: RegExp }>([
    { what: 'an unknown key', body: () => ({ key: `lh_${'0'.repeat(64)}` }), status: 401, message: /^No key like this works here\./ },
    { what: 'an access token, which may do less than the page shows', body: async () => ({ key: await accessToken() }), status: 401, message: /^This is an access token\. Sign in with a key\.$/ },
    { what: 'the key of a dialect', body: async () => ({ key: await workspace.key({ dialect: 'VIDOCU' }) }), status: 401, message: /not for a REST dialect/ },
    { what: 'a code where none was printed', body: () => ({ code: 'x' }), status: 401, message: /Sign in with a key/ },
    { what: 'a revoked key', body: async () => ({ key: await revokedKey() }), status: 401, message: /^This key was revoked\./ },
    { what: 'neither', body: () => ({}), status: 400, message: /"key"/ },
    { what: 'both', body: () => ({ key, code: 'x' }), status: 400, message: /"key"/ },
  ])('with $what', async ({ body, status, message }) => {
    const stranger = new Visitor(longhaul.url);
    const answer = await stranger.signIn(await body());
    expect([answer.status, await answer.json()]).toMatchObject([status, { error: { message: expect.stringMatching(message) } }]);
    expect([stranger.cookie, answer.headers.getSetCookie()]).toEqual([null, []]);
  });

  test('by trying keys: they are limited for each address, over sign-ins and requests together, and a right key is not', async () => {
    const limited = await startLonghaul({ RATE_LIMIT_ANONYMOUS: '3' });
    onTestFinished(() => limited.stop());
    const wrong = { key: `lh_${'0'.repeat(64)}` };
    const stranger = new Visitor(limited.url);
    expect([(await stranger.signIn(wrong)).status, (await stranger.signIn({ code: 'x' })).status]).toEqual([401, 401]);
    expect((await stranger.ask(whoAmI)).status).toBe(401);
    const fourth = await stranger.signIn(wrong);
    expect([fourth.status, Number(fourth.headers.get('retry-after')) > 0]).toEqual([429, true]);
    expect(await fourth.json()).toMatchObject({ error: { code: 'RATE_LIMITED' } });
    expect((await stranger.signIn({ key: limited.adminKey })).status).toBe(204);
  });
});

test('refused sign-ins stand in the audit, and no secret does', async () => {
  const owner = await longhaul.workspace();
  const dialectKey = await owner.key({ dialect: 'VIDOCU' });
  await new Visitor(longhaul.url).signIn({ key: dialectKey });
  await longhaul.services.audit.loop.settle();
  const entries = await longhaul.services.database.hot.query(`SELECT * FROM audit_entry WHERE workspace_id = $1 AND action = 'sign_in.refused'`, [owner.id]);
  expect(entries).toMatchObject([{ outcome: 'UNAUTHENTICATED', ip_address: expect.stringContaining('127.0.0.1') }]);
  expect(JSON.stringify(entries)).not.toContain(dialectKey);
});

test('behind a proxy the own origin is PUBLIC_URL’s, or that of the host it forwards if it is trusted; the cookie is for https alone', async () => {
  const behind = await startLonghaul({ PUBLIC_URL: 'https://jobs.example.com', TRUST_PROXY: 'loopback' });
  onTestFinished(() => behind.stop());
  const owner = await behind.workspace();
  const page = new Visitor(behind.url);
  // The proxy leaves the Host of its own upstream.
  const answer = await page.signIn({ key: await owner.key() }, { origin: 'https://jobs.example.com' });
  expect(answer.headers.getSetCookie()).toEqual([expect.stringMatching(/^__Host-longhaul_session_\w{8}=[\w.-]+; Secure; Path=\/; Max-Age=43200; HttpOnly; SameSite=Strict$/)]);
  const asked: [string, Record<string, string>, boolean][] = [
    ['PUBLIC_URL', { origin: 'https://jobs.example.com' }, true],
    ['its host over http', { origin: 'http://jobs.example.com', 'x-forwarded-host': 'jobs.example.com' }, false],
    ['a host that the proxy forwards', { origin: 'https://intern.example.com', 'x-forwarded-host': 'intern.example.com' }, true],
    ['with its port', { origin: 'https://intern.example.com', 'x-forwarded-host': 'evil.example, intern.example.com:443' }, true],
    ['a host that the client made up', { origin: 'https://evil.example', 'x-forwarded-host': 'evil.example, intern.example.com' }, false],
    ['the host that it came to', { origin: behind.url }, true],
  ];
  for (const [what, headers, taken] of asked) {
    expect([what, (await page.ask(whoAmI, headers)).status]).toEqual([what, taken ? 200 : 401]);
    expect([what, (await page.socket(headers)).refused]).toEqual([what, taken ? null : 4401]);
  }
});

test('DASHBOARD=false takes no session', async () => {
  const off = await startLonghaul({ DASHBOARD: 'false' });
  onTestFinished(() => off.stop());
  const stranger = new Visitor(off.url);
  expect((await stranger.signIn({ key: off.adminKey })).status).toBe(404);
  const adminKey = await off.services.authenticator.find(off.adminKey);
  stranger.cookie = `longhaul_session_${off.services.installationId.slice(-8)}=${await off.services.sessions.open(adminKey?.id ?? '')}`;
  expect(await stranger.ask(whoAmI)).toMatchObject(unauthenticated);
});
