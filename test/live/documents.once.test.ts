import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Job } from '../../src/jobs/model/job.ts';
import { type Figures, figuresOf, untilFigures, untilNothingIsLeft } from '../support/figures.ts';
import { type Longhaul, sharedLonghaul, type TestWorkspace } from '../support/longhaul.ts';
import { RawEvents } from '../support/raw-events.ts';
import { type Asked, RawSocket } from '../support/raw-socket.ts';
import { claim, submit } from '../support/steps.ts';

let longhaul: Longhaul;
let workspace: TestWorkspace;
let key: string;
let before: Figures;
beforeAll(async () => {
  longhaul = await sharedLonghaul();
  workspace = await longhaul.workspace();
  key = await workspace.key();
  before = await figuresOf(longhaul);
});
afterAll(() => longhaul.stop());

const fields = '{ version status }';

/** Documents of every form that asks for a job of three versions, and the versions that they are sent. */
const documents: { what: string; query: string; variables?: Record<string, unknown>; operationName?: string; versions: number[] }[] = [
  { what: 'a literal id', query: 'subscription { jobProgress(id: "ID") { version status } }', versions: [1, 2, 3] },
  {
    what: 'a literal afterVersion',
    query: `subscription ($id: ID!) { jobProgress(id: $id, afterVersion: 1) ${fields} }`,
    versions: [2, 3],
  },
  {
    what: 'a literal null',
    query: `subscription ($id: ID!) { jobProgress(id: $id, afterVersion: null) ${fields} }`,
    versions: [1, 2, 3],
  },
  {
    what: 'a variable with a default that is used',
    query: `subscription ($id: ID!, $v: Int = 1) { jobProgress(id: $id, afterVersion: $v) ${fields} }`,
    versions: [2, 3],
  },
  {
    what: 'a variable that goes before its default',
    query: `subscription ($id: ID!, $v: Int = 0) { jobProgress(id: $id, afterVersion: $v) ${fields} }`,
    variables: { v: 2 },
    versions: [3],
  },
  {
    what: 'null in place of a default',
    query: `subscription ($id: ID!, $v: Int = 2) { jobProgress(id: $id, afterVersion: $v) ${fields} }`,
    variables: { v: null },
    versions: [1, 2, 3],
  },
  {
    what: 'a variable that is used twice',
    query: `subscription ($id: ID!, $n: Int) { jobProgress(id: $id, afterVersion: $n) { version status webhookDeliveries(first: $n) { pageInfo { hasNextPage } } } }`,
    variables: { n: 2 },
    versions: [3],
  },
  {
    what: 'a variable that is named otherwise',
    query: `subscription ($job: ID!, $seen: Int) { jobProgress(afterVersion: $seen, id: $job) ${fields} }`,
    variables: { job: 'ID', seen: 2 },
    versions: [3],
  },
  {
    what: 'an alias at the root and within',
    query: 'subscription ($id: ID!) { jobProgress: jobProgress(id: $id) { status: type version state: status } }',
    versions: [1, 2, 3],
  },
  {
    what: 'fragments around the root field',
    query: `subscription ($id: ID!, $v: Int) { ...A } fragment A on Subscription { ... on Subscription { ... { ...B } } }
      fragment B on Subscription { jobProgress(id: $id, afterVersion: $v) { ...C } } fragment C on Job ${fields}`,
    variables: { v: 1 },
    versions: [2, 3],
  },
  {
    what: 'several operations, of which one is named',
    query: `query One { jobTypes { name } } subscription Two($id: ID!) { jobProgress(id: $id, afterVersion: 2) ${fields} }
      subscription Three($id: ID!, $v: Int) { jobProgress(id: $id, afterVersion: $v) ${fields} }`,
    variables: { v: 1 },
    operationName: 'Three',
    versions: [2, 3],
  },
];

test.each(documents)('P4, S1: $what is understood over either transport', async ({ what: _what, query, variables, versions, ...rest }) => {
  const job = await submit(longhaul, workspace.id);
  const [socket, other] = [await RawSocket.open(longhaul.url, key), await RawSocket.open(longhaul.url, key)];
  const asked = { ...rest, query: query.replace('ID"', `${job.id}"`), variables: namedFor(job, variables) };
  socket.subscribe('1', asked);
  other.subscribe('1', asked);
  const events = await RawEvents.open(longhaul.url, key, asked);
  const byGet = await RawEvents.open(longhaul.url, key, asked, { method: 'GET' });
  await untilFigures(longhaul, { subscriptions: 4, broadcasts: 1, watched_jobs: 1 });
  const seen = () => [socket.payloads('1'), other.payloads('1'), events.payloads, byGet.payloads];
  const sees = (version: number) =>
    expect.poll(() => seen().filter((payloads) => payloads.some((payload) => payload.includes(`"version":${version}`)))).toHaveLength(4);

  if (versions.includes(1)) await sees(1);
  await claim(longhaul, job);
  if (versions.includes(2)) await sees(2);
  await longhaul.services.jobs.cancel(workspace.id, job.id);
  await Promise.all([socket.end('1'), other.end('1'), events.end(), byGet.end()]);
  // Without waiting for the second version, it may be spared.
  for (const payloads of seen()) expect(payloads.map(versionOf)).toEqual(versions);
  socket.ws.close();
  other.ws.close();
  await untilNothingIsLeft(longhaul, before);
});

const root = `jobProgress(id: $id, afterVersion: $v) ${fields}`;

test.each([
  { what: 'afterVersion of the wrong type', query: `subscription ($id: ID!, $v: Int) { ${root} }`, variables: { v: 'two' } },
  { what: 'an afterVersion that is no whole number', query: `subscription ($id: ID!, $v: Int) { ${root} }`, variables: { v: 1.5 } },
  { what: 'an afterVersion beyond an Int', query: `subscription ($id: ID!, $v: Int) { ${root} }`, variables: { v: 2 ** 31 } },
  { what: 'an id that is missing', query: `subscription ($id: ID!, $v: Int) { ${root} }`, variables: { id: undefined } },
  { what: 'an id that is an object', query: `subscription ($id: ID!, $v: Int) { ${root} }`, variables: { id: {} } },
  { what: '@skip at the root', query: `subscription ($id: ID!, $v: Int, $b: Boolean!) { jobProgress(id: $id, afterVersion: $v) @skip(if: $b) ${fields} }`, variables: { b: true } },
  { what: '@include at the root', query: `subscription ($id: ID!, $v: Int, $b: Boolean!) { jobProgress(id: $id, afterVersion: $v) @include(if: $b) ${fields} }`, variables: { b: false } },
  { what: '@skip around the root', query: `subscription ($id: ID!, $v: Int) { ... @skip(if: true) { ${root} } }` },
  { what: 'a document without the operation that is named', query: `subscription A($id: ID!, $v: Int) { ${root} }`, operationName: 'B' },
  { what: 'two operations of which none is named', query: `subscription A($id: ID!, $v: Int) { ${root} } subscription B($id: ID!, $v: Int) { ${root} }` },
  { what: 'two fields at the root', query: `subscription ($id: ID!, $v: Int) { ${root} b: ${root} }` },
  { what: 'a document that is none', query: 'subscription {' },
])('$what is refused with BAD_USER_INPUT over either transport, and leaves nothing', async ({ query, variables = {}, operationName }) => {
  const job = await submit(longhaul, workspace.id);
  const asked: Asked = {
    query,
    variables: { id: job.id, ...variables },
    ...(operationName === undefined ? {} : { operationName }),
  };
  const socket = await RawSocket.open(longhaul.url, key);
  // Twice: what was read once is remembered.
  for (const id of ['1', '2']) {
    socket.subscribe(id, asked);
    await socket.end(id);
    expect(JSON.stringify(socket.messages(id))).toContain('"code":"BAD_USER_INPUT"');
  }
  const events = await RawEvents.open(longhaul.url, key, asked);
  await events.over;
  expect(events.text).toContain('"code":"BAD_USER_INPUT"');
  socket.ws.close();
  await untilNothingIsLeft(longhaul, before);
});

test('S1: what is left out within, by @skip, is each one\'s own', async () => {
  const job = await submit(longhaul, workspace.id);
  const socket = await RawSocket.open(longhaul.url, key);
  const query = 'subscription ($id: ID!, $b: Boolean!) { jobProgress(id: $id) { version uuid @skip(if: $b) } }';
  socket.subscribe('with', { query, variables: { id: job.id, b: false } });
  socket.subscribe('without', { query, variables: { id: job.id, b: true } });
  await socket.until(() => socket.texts.length === 2);
  expect(socket.payloads('with')).toEqual([`{"data":{"jobProgress":{"version":1,"uuid":"${job.id}"}}}`]);
  expect(socket.payloads('without')).toEqual(['{"data":{"jobProgress":{"version":1}}}']);
  socket.ws.close();
  await untilNothingIsLeft(longhaul, before);
});

function namedFor({ id }: Job, variables: Record<string, unknown> = {}): Record<string, unknown> {
  return 'job' in variables ? { ...variables, job: id } : { id, ...variables };
}

function versionOf(payload: string): number {
  return JSON.parse(payload).data.jobProgress.version;
}
