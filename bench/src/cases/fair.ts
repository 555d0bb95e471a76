import { randomBytes, randomUUID } from 'node:crypto';
import { request as httpRequest } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { defaultWorkspace, empty, fill, type Installation, settle } from '../installation.ts';
import type { Comparison, Sample } from '../measure.ts';
import { type Server, startLonghaul } from '../servers.ts';
import type { Case } from './case.ts';

/** Jobs of the workspace that floods: enough for a count to take long. */
const jobs = 300_000;

/** Is in force when it returns, and lasts until the signal says so. */
type Flood = (server: Server, key: string, signal: AbortSignal) => Promise<{ over: Promise<unknown> }>;

/**
 * What one workspace's flood does to another: the other's p99 while it lasts, and before. Each kind of request is one that the
 * flood could hold up.
 */
export const fair: Case = async (installation, stops) => {
  const server = await startLonghaul(installation, stops);
  await empty(installation);
  await fill(installation, { workspaceId: await defaultWorkspace(installation), type: 'analysis', jobs, mix: true });
  await settle(installation);
  const key = await secondKey(server, installation);
  const compare = (title: string, flood: Flood, request: object): Comparison => ({
    title,
    unit: 'ms p99 of another workspace',
    aim: { text: '< 50 ms more', reached: (ratio, during) => during - during / ratio < 50 },
    sides: [
      { name: 'during', round: (seconds) => whileFlooded(installation, server, flood, () => p99(server, key, request, seconds)) },
      { name: 'before', round: (seconds) => p99(server, key, request, seconds) },
    ],
  });
  const claim = { query: 'mutation { claimJobs(input: { types: ["export"], workerId: "w" }) { __typename } }' };
  const count = { query: '{ jobs(first: 1) { totalCount } }' };
  const page = { query: '{ jobs(first: 10) { edges { node { id } } } }' };
  return [
    compare('claims, beside 900 different waiting claims', waitingClaims, claim),
    compare('exact counts, beside 40 of 300,000 jobs', exactCounts, count),
    compare('pages, beside 40 exact counts of 300,000 jobs', exactCounts, page),
    compare('pages, beside changes that 1,000 different jobUpdates show', differentUpdates, page),
  ];
};

async function secondKey(server: Server, { key }: Installation): Promise<string> {
  const created = await post(server, key, {
    query: 'mutation { createWorkspace(input: { name: "second" }) { ... on CreateWorkspacePayload { workspace { id } } } }',
  });
  const { createWorkspace }: { createWorkspace?: { workspace?: { id: string } } } = Object(created.data);
  const keyed = await post(server, key, {
    query: `mutation ($workspaceId: ID!) {
      createApiKey(input: { workspaceId: $workspaceId, name: "second", scopes: [READ, WRITE, WORK] }) { ... on CreateApiKeyPayload { secret } }
    }`,
    variables: { workspaceId: createWorkspace?.workspace?.id },
  });
  const { createApiKey }: { createApiKey?: { secret?: string } } = Object(keyed.data);
  if (createApiKey?.secret === undefined) throw new Error(`no key: ${JSON.stringify([created, keyed])}`);
  return createApiKey.secret;
}

async function whileFlooded(installation: Installation, server: Server, flood: Flood, work: () => Promise<Sample>): Promise<Sample> {
  const over = new AbortController();
  const flooding = await flood(server, installation.key, over.signal);
  try {
    return await work();
  } finally {
    over.abort();
    await flooding.over;
  }
}

/** Sends one request after another. */
async function p99(server: Server, key: string, request: object, seconds: number): Promise<Sample> {
  const times: number[] = [];
  for (const end = performance.now() + seconds * 1_000; performance.now() < end; ) {
    const start = performance.now();
    const { errors } = await post(server, key, request);
    times.push(performance.now() - start);
    if (errors !== undefined) throw new Error(`an answer with errors: ${JSON.stringify(errors)}`);
  }
  const value = times.toSorted((a, b) => a - b)[Math.floor(times.length * 0.99)] ?? Number.NaN;
  return { value, count: times.length, cpu: null, postgresCpu: null };
}

async function post({ port }: Server, key: string, request: object, signal: AbortSignal | null = null): Promise<{ data?: unknown; errors?: unknown }> {
  const response = await fetch(`http://127.0.0.1:${port}/graphql`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: JSON.stringify(request),
    signal,
  });
  const answer: { data?: unknown; errors?: unknown } = Object(await response.json());
  return answer;
}

/** Keeps so many requests under way, for some time already when it returns. What they answer does not matter. */
async function keepAsking(server: Server, key: string, signal: AbortSignal, wide: number, request: () => object): ReturnType<Flood> {
  const ask = async () => {
    while (!signal.aborted) await post(server, key, request(), signal).catch(() => undefined);
  };
  const over = Promise.all(Array.from({ length: wide }, ask));
  await delay(1_000);
  return { over };
}

const waitingClaims: Flood = (server, key, signal) =>
  keepAsking(server, key, signal, 900, () => ({
    query: 'mutation ($ids: [ID!]) { claimJobs(input: { types: ["analysis"], workerId: "w", waitSeconds: 30, jobIds: $ids }) { __typename } }',
    variables: { ids: [randomUUID()] },
  }));

const exactCounts: Flood = (server, key, signal) =>
  keepAsking(server, key, signal, 40, () => ({ query: '{ jobs(first: 1) { totalCount } }' }));

/** One change after another, each shown by a thousand event streams with filters of their own. */
const differentUpdates: Flood = async (server, key, signal) => {
  const query = 'subscription ($types: [String!]) { jobUpdates(filter: { types: $types }) { job { id status version tags priority } } }';
  const watch = () => stream(server, key, signal, { query, variables: { types: ['analysis', randomBytes(8).toString('hex')] } });
  const ends = await Promise.all(Array.from({ length: 1_000 }, watch));
  const changes = await keepAsking(server, key, signal, 1, () => ({
    query: 'mutation { createJob(input: { type: "analysis", input: { sourceUrl: "https://media.example.com/1.mp4" } }) { __typename } }',
  }));
  return { over: Promise.all([...ends.map(({ ended }) => ended), changes.over]) };
};

/** Opens an event stream. What it brings is thrown away unread: fetch would take more time for it here than the server there. */
function stream({ port }: Server, key: string, signal: AbortSignal, asked: object): Promise<{ ended: Promise<void> }> {
  const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json', accept: 'text/event-stream' };
  return new Promise((resolve, reject) => {
    const request = httpRequest({ host: '127.0.0.1', port, path: '/graphql', method: 'POST', headers, agent: false, signal }, (response) => {
      const ended = new Promise<void>((end) => void response.on('error', () => undefined).on('close', end).resume());
      resolve({ ended });
    });
    request.on('error', reject).end(JSON.stringify(asked));
  });
}
