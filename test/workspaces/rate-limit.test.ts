import { createClient } from 'graphql-ws';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { WebSocket } from 'ws';
import { eventually } from '../support/eventually.ts';
import { type Longhaul, startLonghaul } from '../support/longhaul.ts';

/** Requests a minute that each key has here. */
const limit = 8;
/** Requests a minute that each address has without a key. */
const anonymousLimit = 4;

/** Behind a proxy that tells the addresses of its clients, so that each test has addresses of its own. */
let longhaul: Longhaul;
beforeAll(async () => {
  longhaul = await ready({ RATE_LIMIT: String(limit), RATE_LIMIT_ANONYMOUS: String(anonymousLimit), TRUST_PROXY: '1' });
});
afterAll(() => longhaul.stop());

/** Ready, so that all counting is Redis' from the first request on. */
async function ready(env: Record<string, string>): Promise<Longhaul> {
  const started = await startLonghaul(env);
  await eventually(async () => {
    expect(await (await fetch(`${started.url}/health/ready`)).json()).toMatchObject({ bus: 'up' });
  });
  return started;
}

let addresses = 0;

/** An address that no other test has. */
function newAddress(): string {
  addresses += 1;
  return `198.51.100.${addresses}`;
}

const times = (count: number) => Array.from({ length: count }, (_, index) => index);

const query = '{ workspace { name } }';
const claim = `mutation { claimJobs(input: { types: ["download"], workerId: "w" }) { __typename } }`;
const mixed = `mutation {
  claimJobs(input: { types: ["download"], workerId: "w" }) { __typename }
  cancelJob(input: { id: "nothing" }) { __typename }
}`;

async function newKey(): Promise<string> {
  return (await longhaul.workspace()).key();
}

const codeOf = ({ errors: [error] }: Awaited<ReturnType<Longhaul['graphql']>>) => error?.extensions['code'] ?? null;

test('a key that has made its requests of the minute is told when it may go on, and no other key is', async () => {
  const workspace = await longhaul.workspace();
  const [key, other] = [await workspace.key(), await workspace.key()];
  // Often enough that the document is remembered: one that is counts like one that is not.
  for (const _ of times(limit)) expect(codeOf(await longhaul.graphql(query, {}, key))).toBeNull();

  const refused = await fetch(`${longhaul.url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${key}` },
    body: JSON.stringify({ query }),
  });
  expect(refused.status).toBe(429);
  expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
  expect(Number(refused.headers.get('retry-after'))).toBeLessThanOrEqual(60);
  expect(await refused.json()).toMatchObject({ errors: [{ extensions: { code: 'RATE_LIMITED' } }] });
  expect(codeOf(await longhaul.graphql(query, {}, other))).toBeNull();
});

test('requests that arrive together are counted one by one', async () => {
  const key = await newKey();
  const answers = await Promise.all(Array.from({ length: 20 }, () => longhaul.graphql(query, {}, key)));
  expect(answers.map(codeOf).filter((code) => code === null)).toHaveLength(limit);
  expect(answers.map(codeOf).filter((code) => code === 'RATE_LIMITED')).toHaveLength(20 - limit);
});

test('calls of a worker are not counted, unless something else comes with them', async () => {
  const key = await newKey();
  for (const _ of times(limit + 1)) expect(codeOf(await longhaul.graphql(claim, {}, key))).toBeNull();
  for (const _ of times(limit)) expect(codeOf(await longhaul.graphql(mixed, {}, key))).toBeNull();
  expect(codeOf(await longhaul.graphql(mixed, {}, key))).toBe('RATE_LIMITED');
  expect(codeOf(await longhaul.graphql(claim, {}, key))).toBeNull();
});

test('operations on a socket count as those over HTTP do', async () => {
  const key = await newKey();
  const client = createClient({
    url: `${longhaul.url.replace('http', 'ws')}/graphql`,
    webSocketImpl: WebSocket,
    connectionParams: { apiKey: key },
  });
  const ask = async () => (await client.iterate({ query }).next()).value;
  expect(await ask()).toMatchObject({ data: {} });
  for (const _ of times(limit - 1)) expect(codeOf(await longhaul.graphql(query, {}, key))).toBeNull();
  expect(await ask()).toMatchObject({ errors: [{ extensions: { code: 'RATE_LIMITED' } }] });
  await client.dispose();
});

/** Without a count, which costs as many requests more as it takes long. */
const list = '{ jobs { edges { cursor } } }';

async function tokenFor(key: string, input: object): Promise<string> {
  const made = await longhaul.graphql(
    'mutation ($input: CreateAccessTokenInput!) { createAccessToken(input: $input) { ... on CreateAccessTokenPayload { token } } }',
    { input },
    key,
  );
  return JSON.stringify(made.data).match(/"token":"([^"]+)"/)?.[1] ?? '';
}

test('tokens for the same thing share half of what the tokens of a key have together, and the key has its own', async () => {
  const key = await newKey();
  const [token, again] = [await tokenFor(key, { tag: 'a' }), await tokenFor(key, { tag: 'a', ttlSeconds: 60 })];
  const others = [await tokenFor(key, { tag: 'b' }), await tokenFor(key, { tag: 'c' })];
  for (const one of [token, again, token, again]) expect(codeOf(await longhaul.graphql(list, {}, one))).toBeNull();
  // What is refused takes nothing from the other tokens.
  for (const one of [token, again, token, again]) expect(codeOf(await longhaul.graphql(list, {}, one))).toBe('RATE_LIMITED');
  for (const one of [...others, ...others]) expect(codeOf(await longhaul.graphql(list, {}, one))).toBeNull();
  // However many are made, together they have no more than the key.
  for (const one of [...others, await tokenFor(key, { tag: 'd' })]) expect(codeOf(await longhaul.graphql(list, {}, one))).toBe('RATE_LIMITED');
  for (let request = 0; request < 3; request += 1) expect(codeOf(await longhaul.graphql(list, {}, key))).toBeNull();
  expect(codeOf(await longhaul.graphql(list, {}, key))).toBe('RATE_LIMITED');
});

const introspection = '{ __schema { queryType { name } } }';

/** Posts as somebody with this key, and these headers of a proxy. */
async function statusOf(document: string, { key, from, at = longhaul }: { key?: string; from?: string; at?: Longhaul } = {}): Promise<number> {
  const response = await fetch(`${at.url}/graphql`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      ...(key === undefined ? {} : { 'x-api-key': key }),
      ...(from === undefined ? {} : { 'x-forwarded-for': from }),
    },
    body: JSON.stringify({ query: document }),
  });
  await response.text();
  return response.status;
}

test('who has no key is counted by address, and nobody with one is held up', async () => {
  const from = newAddress();
  const key = await newKey();
  for (const _ of times(anonymousLimit)) expect(await statusOf(introspection, { from })).toBe(200);
  const refused = await fetch(`${longhaul.url}/graphql?query=${encodeURIComponent(introspection)}`, { headers: { 'x-forwarded-for': from } });
  expect(refused.status).toBe(429);
  expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
  expect(await refused.json()).toMatchObject({ errors: [{ extensions: { code: 'RATE_LIMITED' } }] });
  for (const _ of times(anonymousLimit + 1)) expect(await statusOf(query, { key, from })).toBe(200);
});

test('wrong keys count with the calls that have none, over HTTP and on sockets', async () => {
  const from = newAddress();
  const key = await newKey();
  expect(await statusOf(introspection, { from })).toBe(200);
  for (const guess of times(2)) expect(await statusOf(query, { key: `lh_guess_${guess}`, from })).toBe(401);
  const closed = async (secret: string) => {
    const client = createClient({
      url: `${longhaul.url.replace('http', 'ws')}/graphql`,
      webSocketImpl: class extends WebSocket {
        constructor(url: string, protocols: string) {
          super(url, protocols, { headers: { 'x-forwarded-for': from } });
        }
      },
      connectionParams: { apiKey: secret },
      retryAttempts: 0,
    });
    return client.iterate({ query }).next().then(() => null, ({ code }) => code);
  };
  expect(await closed('lh_guess_3')).toBe(4401);
  expect(await closed('lh_guess_4')).toBe(1013);
  expect(await statusOf(query, { key: 'lh_guess_5', from })).toBe(429);
  expect(await statusOf(introspection, { from })).toBe(429);
  expect(await statusOf(query, { key, from })).toBe(200);
});

test('wrong keys of the dialects count with them, and so do calls without one', async () => {
  const from = newAddress();
  const key = await newKey();
  const poll = async (secret?: string) => {
    const headers = { 'x-forwarded-for': from, ...(secret === undefined ? {} : { authorization: `Bearer ${secret}` }) };
    return fetch(`${longhaul.url}/videoconduit/v1/jobs`, { headers });
  };
  expect(await statusOf(introspection, { from })).toBe(200);
  for (const secret of ['vc_guess_1', undefined, 'guess_2']) expect((await poll(secret)).status).toBe(401);
  const refused = await poll('vc_guess_3');
  expect(refused.status).toBe(429);
  expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
  expect(await statusOf(introspection, { from })).toBe(429);
  expect((await poll(key)).status).toBe(200);
});

test('what anybody says of its address is not believed, unless it is a proxy that is trusted', async () => {
  const [one, another] = [newAddress(), newAddress()];
  const direct = await ready({ RATE_LIMIT_ANONYMOUS: String(anonymousLimit) });
  onTestFinished(() => direct.stop());
  for (const { at, others } of [{ at: longhaul, others: 200 }, { at: direct, others: 429 }]) {
    for (const _ of times(anonymousLimit)) expect(await statusOf(introspection, { from: one, at })).toBe(200);
    expect(await statusOf(introspection, { from: one, at })).toBe(429);
    expect(await statusOf(introspection, { from: another, at })).toBe(others);
  }
});

test('a host of IPv6 is its network of 64 bits, whichever of its addresses it takes', async () => {
  for (const host of times(anonymousLimit)) expect(await statusOf(introspection, { from: `2001:db8:0:1::${host + 1}` })).toBe(200);
  expect(await statusOf(introspection, { from: '2001:db8:0:1:ffff::3' })).toBe(429);
  expect(await statusOf(introspection, { from: '2001:db8:0:2::1' })).toBe(200);
});

test('without a key a document has at most 64 KB, and 0 turns the count off', async () => {
  const uncounted = await ready({ RATE_LIMIT_ANONYMOUS: '0' });
  onTestFinished(() => uncounted.stop());
  const key = await (await uncounted.workspace()).key();
  const long = introspection.padEnd(64 * 1024 + 1);
  for (const _ of times(3)) expect(codeOf(await uncounted.graphql(long, {}, null))).toBe('LIMIT_EXCEEDED');
  for (const _ of times(3)) expect(codeOf(await uncounted.graphql(introspection.padEnd(64 * 1024), {}, null))).toBeNull();
  expect(codeOf(await uncounted.graphql(long, {}, key))).toBeNull();
});

test('a document that is no GraphQL counts like any other', async () => {
  const key = await newKey();
  for (const _ of times(limit)) expect(codeOf(await longhaul.graphql('{', {}, key))).toBe('BAD_USER_INPUT');
  expect(codeOf(await longhaul.graphql(query, {}, key))).toBe('RATE_LIMITED');
});
