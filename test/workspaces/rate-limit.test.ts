import { createClient } from 'graphql-ws';
import { afterEach, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { type Longhaul, startLonghaul } from '../support/longhaul.ts';

let longhaul: Longhaul;
afterEach(() => longhaul.stop());

const query = '{ workspace { name } }';
const claim = `mutation { claimJobs(input: { types: ["download"], workerId: "w" }) { __typename } }`;
const mixed = `mutation {
  claimJobs(input: { types: ["download"], workerId: "w" }) { __typename }
  cancelJob(input: { id: "nothing" }) { __typename }
}`;

async function limited(limit: number): Promise<{ key: string; other: string }> {
  longhaul = await startLonghaul({ RATE_LIMIT: String(limit) });
  const workspace = await longhaul.workspace();
  return { key: await workspace.key(), other: await workspace.key() };
}

const codeOf = ({ errors: [error] }: Awaited<ReturnType<Longhaul['graphql']>>) => error?.extensions['code'] ?? null;

test('a key that has made its requests of the minute is told when it may go on, and no other key is', async () => {
  const { key, other } = await limited(5);
  // Often enough that the document is remembered: one that is counts like one that is not.
  for (let request = 0; request < 5; request += 1) expect(codeOf(await longhaul.graphql(query, {}, key))).toBeNull();

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
  const { key } = await limited(7);
  const answers = await Promise.all(Array.from({ length: 20 }, () => longhaul.graphql(query, {}, key)));
  expect(answers.map(codeOf).filter((code) => code === null)).toHaveLength(7);
  expect(answers.map(codeOf).filter((code) => code === 'RATE_LIMITED')).toHaveLength(13);
});

test('calls of a worker are not counted, unless something else comes with them', async () => {
  const { key } = await limited(2);
  for (let call = 0; call < 10; call += 1) expect(codeOf(await longhaul.graphql(claim, {}, key))).toBeNull();
  for (let call = 0; call < 2; call += 1) expect(codeOf(await longhaul.graphql(mixed, {}, key))).toBeNull();
  expect(codeOf(await longhaul.graphql(mixed, {}, key))).toBe('RATE_LIMITED');
  expect(codeOf(await longhaul.graphql(claim, {}, key))).toBeNull();
});

test('operations on a socket count as those over HTTP do', async () => {
  const { key } = await limited(2);
  const client = createClient({
    url: `${longhaul.url.replace('http', 'ws')}/graphql`,
    webSocketImpl: WebSocket,
    connectionParams: { apiKey: key },
  });
  const ask = async () => (await client.iterate({ query }).next()).value;
  expect(await ask()).toMatchObject({ data: {} });
  expect(codeOf(await longhaul.graphql(query, {}, key))).toBeNull();
  expect(await ask()).toMatchObject({ errors: [{ extensions: { code: 'RATE_LIMITED' } }] });
  await client.dispose();
});

test('a token has a budget of its own: a browser cannot use up that of the key', async () => {
  const { key } = await limited(3);
  const made = await longhaul.graphql(
    'mutation { createAccessToken(input: { tag: "a" }) { ... on CreateAccessTokenPayload { token } } }',
    {},
    key,
  );
  const token = JSON.stringify(made.data).match(/"token":"([^"]+)"/)?.[1] ?? '';
  const list = '{ jobs { totalCount } }';
  for (let request = 0; request < 3; request += 1) expect(codeOf(await longhaul.graphql(list, {}, token))).toBeNull();
  expect(codeOf(await longhaul.graphql(list, {}, token))).toBe('RATE_LIMITED');
  expect(codeOf(await longhaul.graphql(list, {}, key))).toBeNull();
});
