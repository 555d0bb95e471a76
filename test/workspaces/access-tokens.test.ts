import { afterAll, beforeAll, expect, test } from 'vitest';
import { revokeApiKey } from '../../src/workspaces/revoke-api-key.ts';
import { type GraphQLAnswer, type Longhaul, sharedLonghaul } from '../support/longhaul.ts';

let longhaul: Longhaul;
beforeAll(async () => {
  longhaul = await sharedLonghaul();
});
afterAll(() => longhaul.stop());

test('a token for one job reads that job and no other', async () => {
  const key = await (await longhaul.workspace()).key();
  const [own, other] = [await createJob(key), await createJob(key)];
  const { token } = await createToken(key, { jobId: own });

  const { data } = await longhaul.graphql(
    'query ($own: ID!, $other: ID!) { own: job(id: $own) { uuid } other: job(id: $other) { uuid } node(id: $other) { id } jobs { totalCount edges { node { uuid } } } }',
    { own, other },
    token,
  );
  expect(data).toEqual({
    own: { uuid: own },
    other: null,
    node: null,
    jobs: { totalCount: 1, edges: [{ node: { uuid: own } }] },
  });
});

test('a token for a tag reads the jobs that bear it', async () => {
  const key = await (await longhaul.workspace()).key();
  const tagged = await createJob(key, ['board-7', 'urgent']);
  const untagged = await createJob(key, ['urgent']);
  const { token } = await createToken(key, { tag: 'board-7' });

  const { data } = await longhaul.graphql(
    'query ($untagged: ID!) { jobs(filter: { tags: ["urgent"] }) { edges { node { uuid } } } job(id: $untagged) { uuid } }',
    { untagged },
    token,
  );
  expect(data).toEqual({ jobs: { edges: [{ node: { uuid: tagged } }] }, job: null });
});

test('a token changes nothing, and tells nothing of its workspace', async () => {
  const key = await (await longhaul.workspace()).key();
  const jobId = await createJob(key);
  const { token } = await createToken(key, { jobId });

  for (const query of [
    `mutation { cancelJob(input: { id: "${jobId}" }) { __typename } }`,
    'mutation { createJob(input: { type: "export" }) { __typename } }',
    'mutation { createAccessToken(input: { tag: "all" }) { __typename } }',
    'mutation { claimJobs(input: { types: ["export"], workerId: "w" }) { __typename } }',
    '{ workspace { credits } }',
    '{ workspaces { edges { node { id } } } }',
    `{ job(id: "${jobId}") { webhookDeliveries { edges { node { url } } } } }`,
  ]) {
    expect(codes(await longhaul.graphql(query, {}, token))).toEqual(['FORBIDDEN']);
  }
});

test('a token opens the same job in a REST dialect', async () => {
  const key = await (await longhaul.workspace()).key();
  const [own, other] = [await createJob(key), await createJob(key)];
  const { token } = await createToken(key, { jobId: own });
  const statusOf = async (jobId: string) =>
    (await fetch(`${longhaul.url}/videoconduit/v1/jobs/${jobId}`, { headers: { authorization: `Bearer ${token}` } })).status;

  expect(await statusOf(own)).toBe(200);
  expect(await statusOf(other)).toBe(404);
});

test('a token falls with the key that made it', async () => {
  const { authenticator, database } = longhaul.services;
  const key = await (await longhaul.workspace()).key();
  const jobId = await createJob(key);
  const { token } = await createToken(key, { jobId });

  await revokeApiKey(database, authenticator, (await authenticator.find(key))?.id ?? '');

  const answer = await longhaul.graphql('{ jobTypes { name } }', {}, token);
  expect([answer.status, codes(answer)]).toEqual([401, ['UNAUTHENTICATED']]);
});

test('a token that has expired, or was tampered with, opens nothing', async () => {
  const { accessTokens, authenticator } = longhaul.services;
  const key = await (await longhaul.workspace()).key();
  const jobId = await createJob(key);
  const made = await authenticator.find(key);
  if (made === null) throw new Error('the key is not known');
  const viewer = { apiKeyId: made.id, workspaceId: made.workspaceId, address: '127.0.0.1', scopes: new Set(made.scopes), restriction: null, expiresAt: null };
  const expired = await accessTokens.sign({ ...viewer, restriction: { jobId }, scopes: ['READ'], expiresAt: new Date(Date.now() - 1_000) });
  const { token } = await createToken(key, { jobId });
  const [head, , signature] = token.split('.');
  const claims = Buffer.from(JSON.stringify({ ws: made.workspaceId, sub: made.id, tag: 'all', exp: 4_102_444_800, iss: 'longhaul' }));

  const answer = await longhaul.graphql('{ jobTypes { name } }', {}, expired);
  expect([answer.status, codes(answer)]).toEqual([401, ['TOKEN_EXPIRED']]);
  for (const bad of [`${head}.${claims.toString('base64url')}.${signature}`, `${token}x`]) {
    expect(codes(await longhaul.graphql('{ jobTypes { name } }', {}, bad))).toEqual(['UNAUTHENTICATED']);
  }
});

test('a token is made for exactly one thing that the key may see, and for a bounded time', async () => {
  const key = await (await longhaul.workspace()).key();
  const foreign = await createJob(await (await longhaul.workspace()).key());
  const jobId = await createJob(key);

  expect(await createToken(key, { jobId: foreign })).toMatchObject({ __typename: 'NotFoundError' });
  for (const input of [{}, { jobId, tag: 'both' }, { jobId, ttlSeconds: 59 }, { jobId, ttlSeconds: 86_401 }, { tag: '' }]) {
    expect(await createToken(key, input)).toMatchObject({ __typename: 'ValidationError' });
  }
  const workOnly = await (await longhaul.workspace()).key({ scopes: ['WORK'] });
  const refused = await longhaul.graphql('mutation { createAccessToken(input: { tag: "t" }) { __typename } }', {}, workOnly);
  expect(codes(refused)).toEqual(['FORBIDDEN']);
});

function codes({ errors }: GraphQLAnswer): unknown[] {
  return errors.map(({ extensions }) => extensions['code']);
}

async function createJob(key: string, tags: string[] = []): Promise<string> {
  const { data } = await longhaul.graphql(
    'mutation ($tags: [String!]) { createJob(input: { type: "export", tags: $tags }) { ... on CreateJobPayload { job { uuid } } } }',
    { tags },
    key,
  );
  const uuid = /[0-9a-f-]{36}/.exec(JSON.stringify(data))?.[0];
  if (uuid === undefined) throw new Error('no job was created');
  return uuid;
}

async function createToken(key: string, input: object): Promise<{ __typename: string; token: string }> {
  const { data } = await longhaul.graphql(
    'mutation ($input: CreateAccessTokenInput!) { createAccessToken(input: $input) { __typename ... on CreateAccessTokenPayload { token } } }',
    { input },
    key,
  );
  const result: unknown = data?.['createAccessToken'];
  if (!isResult(result)) throw new Error('createAccessToken gave no result');
  return result;
}

function isResult(value: unknown): value is { __typename: string; token: string } {
  return typeof value === 'object' && value !== null && '__typename' in value;
}
