import { afterAll, beforeAll, expect, test } from 'vitest';
import { errorTable, type ErrorCode } from '../../src/errors.ts';
import { authenticate } from '../../src/workspaces/authenticate.ts';
import { type Longhaul, sharedLonghaul } from '../support/longhaul.ts';
import { type Asked, RawSocket } from '../support/raw-socket.ts';

let longhaul: Longhaul;
let keys: Record<'full' | 'reader' | 'writer' | 'expired', string>;
beforeAll(async () => {
  longhaul = await sharedLonghaul();
  const workspace = await longhaul.workspace();
  const full = await workspace.key();
  const viewer = await authenticate(longhaul.services, { secret: full, address: '127.0.0.1' }, 'NATIVE');
  keys = {
    full,
    reader: await workspace.key({ scopes: ['READ'] }),
    writer: await workspace.key({ scopes: ['WRITE'] }),
    expired: await longhaul.services.accessTokens.sign({ ...viewer, restriction: { tags: ['a'], types: null }, scopes: ['READ'], expiresAt: new Date(Date.now() - 1_000) }),
  };
});
afterAll(() => longhaul.stop());

/** What a client is told of a mistake: what, and where in the document and in the result. */
interface Told {
  code: unknown;
  locations: unknown;
  path: unknown;
}

interface Answered {
  /** Null over a socket. */
  status: number | null;
  told: Told[];
}

interface Mistake extends Asked {
  what: string;
  code: ErrorCode;
  /** Where in the result; undefined if the request is refused as a whole. */
  path?: string[];
  key?: 'full' | 'reader' | 'writer';
  /** Whether GET can ask it. */
  isRead?: false;
}

const page = (args: string) => `{ jobs(${args}) { totalCount } }`;
const paged = (type: string) => `query ($first: ${type}) { jobs(first: $first) { totalCount } }`;

test.each<Mistake>([
  { what: 'a syntax error', query: '{ jobs(', code: 'BAD_USER_INPUT' },
  { what: 'an unknown field', query: '{ jobs { nothing } }', code: 'BAD_USER_INPUT' },
  { what: 'an unknown operation', query: 'query A { __typename }', operationName: 'B', code: 'BAD_USER_INPUT' },
  { what: 'a bad literal', query: page('first: "x"'), code: 'BAD_USER_INPUT' },
  { what: 'a bad variable', query: paged('Int'), variables: { first: 'x' }, code: 'BAD_USER_INPUT' },
  { what: 'a missing variable', query: paged('Int!'), code: 'BAD_USER_INPUT' },
  { what: 'a bad instant', query: page('filter: { createdAfter: "today" }'), code: 'BAD_USER_INPUT' },
  { what: 'a literal out of range', query: page('first: 101'), code: 'BAD_USER_INPUT', path: ['jobs'] },
  { what: 'a variable out of range', query: paged('Int'), variables: { first: 101 }, code: 'BAD_USER_INPUT', path: ['jobs'] },
  { what: 'a bad cursor', query: page('after: "none"'), code: 'BAD_USER_INPUT', path: ['jobs'] },
  { what: 'too deep a selection', query: `{ job(id: "x") ${'{ retryOf '.repeat(20)}{ id }${' }'.repeat(20)} }`, code: 'LIMIT_EXCEEDED' },
  { what: 'too costly a page', query: `{ ${Array.from({ length: 40 }, (_, n) => `a${n}: jobs(first: 100) { edges { node { attempts { number } } } }`).join(' ')} }`, code: 'LIMIT_EXCEEDED' },
  { what: 'too long a document', query: `# ${'x'.repeat(100_000)}\n{ __typename }`, code: 'LIMIT_EXCEEDED', isRead: false },
  { what: 'a scope that the key lacks', query: 'mutation { createJob(input: { type: "comments" }) { __typename } }', key: 'reader', code: 'FORBIDDEN', path: ['createJob'], isRead: false },
  { what: 'a scope that the key lacks, of a query', query: '{ workspaces(first: 1) { pageInfo { hasNextPage } } }', code: 'FORBIDDEN', path: ['workspaces'] },
  { what: 'a field that the key may not read', query: 'mutation { createJob(input: { type: "comments" }) { ... on CreateJobPayload { job { input } } } }', key: 'writer', code: 'FORBIDDEN', isRead: false },
  { what: 'an input that is missing', query: 'mutation ($input: CreateJobInput!) { createJob(input: $input) { __typename } }', code: 'BAD_USER_INPUT', isRead: false },
])('$what is told with the same code and place over every transport', async ({ code, path, key = 'full', isRead = true, ...asked }) => {
  const { httpStatus } = errorTable[code];
  const whole = path === undefined;
  const posted = await post(asked, keys[key], 'application/graphql-response+json');
  expect(posted.told[0]).toMatchObject({ code, ...(whole ? {} : { path }) });
  expect(posted.status).toBe(whole ? httpStatus : 200);
  expect(await post(asked, keys[key], '*/*')).toEqual(posted);
  expect(await post(asked, keys[key], 'application/json')).toEqual({ ...posted, status: 200 });
  expect(await post(asked, keys[key], 'text/event-stream')).toEqual({ ...posted, status: 200 });
  expect(await overSocket(asked, keys[key])).toEqual({ ...posted, status: null });
  if (!isRead) return;
  expect(await get(asked, keys[key], 'application/graphql-response+json')).toEqual(posted);
  expect(await get(asked, keys[key], 'text/event-stream')).toEqual({ ...posted, status: 200 });
});

test.each<Mistake>([
  { what: 'a job that there is not', query: 'subscription { jobProgress(id: "none") { id } }', code: 'NOT_FOUND', path: ['jobProgress'] },
  { what: 'a bad cursor', query: 'subscription { jobUpdates(after: "none") { cursor } }', code: 'BAD_USER_INPUT', path: ['jobUpdates'] },
  { what: 'a bad literal', query: 'subscription { jobProgress(id: "x", afterVersion: "x") { id } }', code: 'BAD_USER_INPUT' },
  { what: 'a bad variable', query: 'subscription ($id: ID!) { jobProgress(id: $id) { id } }', variables: { id: true }, code: 'BAD_USER_INPUT' },
  { what: 'a missing variable', query: 'subscription ($id: ID!) { jobProgress(id: $id) { id } }', code: 'BAD_USER_INPUT' },
])('a subscription is refused the same way over streams and sockets: $what', async ({ code, path, ...asked }) => {
  const streamed = await post(asked, keys.full, 'text/event-stream');
  expect(streamed).toMatchObject({ status: 200, told: [{ code, ...(path && { path }) }] });
  expect(await get(asked, keys.full, 'text/event-stream')).toEqual(streamed);
  expect(await overSocket(asked, keys.full)).toEqual({ ...streamed, status: null });
});

test.each<{ what: string; key: () => string | null; code: ErrorCode; closes: number }>([
  { what: 'no key', key: () => null, code: 'UNAUTHENTICATED', closes: 4401 },
  { what: 'a wrong key', key: () => 'lh_wrong', code: 'UNAUTHENTICATED', closes: 4401 },
  { what: 'an expired token', key: () => keys.expired, code: 'TOKEN_EXPIRED', closes: 4403 },
])('$what is 401 over HTTP whatever is asked for, and closes a socket', async ({ key, code, closes }) => {
  const asked = { query: page('first: 1') };
  for (const send of [post, get]) {
    for (const accept of ['*/*', 'application/json', 'application/graphql-response+json', 'text/event-stream']) {
      expect(await send(asked, key(), accept), accept).toMatchObject({ status: 401, told: [{ code }] });
    }
  }
  const socket = await RawSocket.connect(longhaul.url);
  socket.send({ type: 'connection_init', payload: { apiKey: key() } });
  expect(await socket.closed).toBe(closes);
});

test('a value that an input cannot have is the same ValidationError over every transport', async () => {
  const query = 'mutation ($input: CreateJobInput!) { createJob(input: $input) { ... on ValidationError { issues { path message } } } }';
  const asked = { query, variables: { input: { type: 'comments', priority: 'high' } } };
  const answers = await Promise.all(['application/json', 'application/graphql-response+json', 'text/event-stream'].map((accept) => sent(asked, keys.full, accept)));
  const socket = await RawSocket.open(longhaul.url, keys.full);
  socket.subscribe('it', asked);
  await socket.end('it');
  const texts = [...(await Promise.all(answers.map((each) => each.text()))).map(resultIn), socket.payloads('it')[0] ?? ''];
  for (const text of texts) {
    expect(JSON.parse(text)).toEqual({ data: { createJob: { issues: [{ path: ['priority'], message: 'expected an integer of at most 32 bits' }] } } });
  }
});

test.each(['application/json', 'application/graphql-response+json', 'text/event-stream'])('a GET runs no mutation, for a client of %s', async (accept) => {
  const asked = { query: 'mutation { createJob(input: { type: "comments" }) { __typename } }' };
  expect(await get(asked, keys.full, accept)).toMatchObject({ status: 405, told: [{ code: 'BAD_USER_INPUT' }] });
});

function sent({ query, variables, operationName }: Asked, key: string | null, accept: string): Promise<Response> {
  const headers = { accept, 'content-type': 'application/json', ...(key === null ? {} : { authorization: `Bearer ${key}` }) };
  return fetch(`${longhaul.url}/graphql`, { method: 'POST', headers, body: JSON.stringify({ query, variables, operationName }) });
}

async function post(asked: Asked, key: string | null, accept: string): Promise<Answered> {
  return answered(await sent(asked, key, accept));
}

async function get({ query, variables = {}, operationName = '' }: Asked, key: string | null, accept: string): Promise<Answered> {
  const search = new URLSearchParams({ query, operationName, variables: JSON.stringify(variables) });
  const headers = { accept, ...(key === null ? {} : { authorization: `Bearer ${key}` }) };
  return answered(await fetch(`${longhaul.url}/graphql?${search}`, { headers }));
}

async function answered(response: Response): Promise<Answered> {
  return { status: response.status, told: toldIn(JSON.parse(resultIn(await response.text())).errors) };
}

/** The result, alone or as the only event of a stream. */
function resultIn(text: string): string {
  return /^event: next\n(?:id: .*\n)?data: (.*)$/m.exec(text)?.[1] ?? text;
}

async function overSocket({ query, variables, operationName }: Asked, key: string): Promise<Answered> {
  const socket = await RawSocket.open(longhaul.url, key);
  socket.subscribe('it', { query, ...(variables && { variables }), ...(operationName !== undefined && { operationName }) });
  const last = await socket.end('it');
  const errors: unknown = last.type === 'error' ? last.payload : JSON.parse(socket.payloads('it')[0] ?? '{}').errors;
  socket.ws.close();
  await socket.closed;
  return { status: null, told: toldIn(errors) };
}

function toldIn(errors: unknown): Told[] {
  if (!Array.isArray(errors)) return [];
  return errors.map(({ extensions, locations, path }) => ({ code: extensions?.code, locations, path }));
}
