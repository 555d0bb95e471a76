import fc from 'fast-check';
import { execute, type ExecutionResult, GraphQLError, isScalarType, Kind, parse, print, subscribe, validate, valueFromASTUntyped, visit } from 'graphql';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { GraphQLContext } from '../../src/graphql/context.ts';
import { createLoaders } from '../../src/graphql/loaders.ts';
import { Operations, Refusal } from '../../src/graphql/operations.ts';
import { publicError } from '../../src/graphql/public-error.ts';
import { schema } from '../../src/graphql/schema.ts';
import { silentLog } from '../../src/log.ts';
import { authenticate } from '../../src/workspaces/authenticate.ts';
import type { Viewer } from '../../src/workspaces/viewer.ts';
import { type Longhaul, startLonghaul } from '../support/longhaul.ts';
import { type Pools, RandomDocument, type RandomOperation } from '../support/random-documents.ts';
import { RawEvents } from '../support/raw-events.ts';
import { RawSocket } from '../support/raw-socket.ts';
import { claim, globalId, submit } from '../support/steps.ts';

/** How often the same document is sent: what remembers it must not change what it means. */
const times = 3;

let longhaul: Longhaul;
let viewer: Viewer;
let key: string;
let pools: Pools;
beforeAll(async () => {
  // Uncounted: what is left of a rate limit is another number each time.
  longhaul = await startLonghaul({ RATE_LIMIT: '0' });
  const { services } = longhaul;
  const workspace = await longhaul.workspace();
  key = await workspace.key();
  viewer = await authenticate(services, { secret: key, address: '127.0.0.1' }, 'NATIVE');
  const jobs = [];
  for (const tags of [['a'], ['a', 'b'], []]) {
    const job = await submit(longhaul, workspace.id, { tags, input: { sourceUrl: 'https://example.com/a.mp4', n: [1, { x: null }] } });
    await claim(longhaul, job);
    jobs.push(await services.jobs.cancel(workspace.id, job.id, { reason: 'a "reason"\n' }));
  }
  const { data } = await longhaul.graphql('{ jobs(first: 2) { pageInfo { endCursor } } workspace { id } }', {}, key);
  const cursor = /"endCursor":"([^"]+)"/.exec(JSON.stringify(data))?.[1] ?? '';
  pools = {
    ID: [...jobs.map(globalId), ...jobs.map(({ id }) => id), `ws_${workspace.id}`, 'job_0', '', 7],
    String: ['comments', 'download', 'a', 'b', '', 'ключ 🔑', '"\n\\'],
    after: [cursor, cursor, 'none'],
    before: [cursor, cursor, 'none'],
    first: [1, 2, 3, 3, 0, 101],
    last: [1, 2, 3, 3, -1],
    type: ['comments', 'comments', 'export', 'nothing'],
    credits: [0, 1],
    Int: [0, 1, 2, -1, 50],
    BigInt: [0, 1, 1_000_000, 2 ** 53, -1],
    Float: [0, 0.5, 100, 99.999, -1, 1e21],
    Boolean: [true, false],
    DateTime: ['2026-01-01T00:00:00Z', '2099-12-31T23:59:59.999+02:00', '2026-02-30T00:00:00Z', 'yesterday'],
    runAt: ['2099-12-31T23:59:59.999+02:00', '2026-02-30T00:00:00Z'],
    webhookUrl: ['https://example.com/hook', 'ftp://example.com', 'hook'],
    URL: ['https://example.com/'],
    JSON: [0, -1.5, 'text', '', true, null, [], [1, [2]], { a: { b: [] } }, { sourceUrl: 'https://example.com/a.mp4' }],
    JSONObject: [{}, { sourceUrl: 'https://example.com/a.mp4' }, { a: { b: [1, null, 'x'] } }],
  };
});
afterAll(() => longhaul.stop());

/** Not shrunk: a random document that fails says enough, and its seed repeats it. */
const sized = (numRuns: number) => ({ numRuns, endOnFailure: true });

/** Different each time it is read, whoever reads it. */
const volatile = new Set(['jobUpdatesCursor']);
/** What it takes depends on what was taken before. */
const consuming = new Set(['claimJobs']);

const random = (draw: fc.GeneratorValue, taken = (field: string) => !volatile.has(field) && !consuming.has(field)) =>
  new RandomDocument({ draw, schema, pools, takes: taken });

test('there are values to draw for every scalar', () => {
  const scalars = Object.values(schema.getTypeMap()).filter(isScalarType);
  expect(scalars.map(({ name }) => name).filter((name) => !(name in pools))).toEqual([]);
});

test('a random query means the same over POST, GET, sockets and streams as to graphql-js, however often it comes', async () => {
  const socket = await RawSocket.open(longhaul.url, key);
  await fc.assert(
    fc.asyncProperty(fc.gen(), async (draw) => {
      const operation = random(draw).write('query');
      if (await isTooLarge(operation)) return;
      const expected = shown(await carriedOut(operation));
      for (let time = 0; time < times; time += 1) {
        expect(shown(await post(operation))).toEqual(expected);
        expect(shown(await overSocket(socket, operation))).toEqual(expected);
      }
      const url = urlOf(operation);
      if (url.length < 8_000) expect(shown(await json(await fetch(url, { headers: { 'x-api-key': key } })))).toEqual(expected);
      expect(shown(await overEvents(operation))).toEqual(expected);
    }),
    sized(60),
  );
  socket.ws.close();
}, 180_000);

test('a random mutation means the same over POST and sockets as to graphql-js, however often it comes', async () => {
  const socket = await RawSocket.open(longhaul.url, key);
  await fc.assert(
    fc.asyncProperty(fc.gen(), async (draw) => {
      const operation = withTypenames(random(draw).write('mutation'));
      if (await isTooLarge(operation)) return;
      const expected = shown(await mutated(operation));
      for (let time = 0; time < times; time += 1) {
        expect(shown(await post(operation))).toEqual(expected);
        expect(shown(await overSocket(socket, operation))).toEqual(expected);
      }
    }),
    sized(40),
  );
  socket.ws.close();
}, 180_000);

test('a random subscription means the same over sockets and streams as to graphql-js, however often it comes', async () => {
  const socket = await RawSocket.open(longhaul.url, key);
  await fc.assert(
    fc.asyncProperty(fc.gen(), async (draw) => {
      // Of jobs that have ended, so that each ends after its only event.
      const operation = random(draw, (field) => field !== 'jobUpdates' && !volatile.has(field)).write('subscription');
      if (await isTooLarge(operation)) return;
      const expected = await watched(operation);
      for (let time = 0; time < times; time += 1) {
        expect(await overSocket(socket, operation, true)).toEqual(expected);
        expect(await overEvents(operation, true)).toEqual(expected);
      }
    }),
    sized(40),
  );
  socket.ws.close();
}, 180_000);

test('a result is stored as graphql-js reads it: literals with variables in them, variables left out, null', async () => {
  const { database } = longhaul.services;
  const socket = await RawSocket.open(longhaul.url, key);
  await fc.assert(
    fc.asyncProperty(fc.gen(), async (draw) => {
      const output = schema.getType('JSON');
      if (output === undefined || !('parseLiteral' in output)) throw new Error('there is no scalar JSON');
      let literal = '';
      const operation = random(draw).write('mutation', (document) => {
        literal = document.value(output, 'JSON');
        return `{ completeJob(input: { token: $token, output: ${literal} }) { __typename } }`;
      });
      const query = operation.query.replace(/^mutation Random\(?/, 'mutation Random($token: String!, ').replace('!, {', '!) {');
      const runs = [];
      for (let time = 0; time < times; time += 1) {
        for (const send of [post, (asked: RandomOperation) => overSocket(socket, asked)]) {
          const job = await submit(longhaul, viewer.workspaceId);
          const asked = { query, variables: { ...operation.variables, token: await claim(longhaul, job) } };
          const answer = shown(await send(asked));
          const [row] = await database.hot.query<{ status: string; output: unknown }>('SELECT status, output FROM job WHERE id = $1', [job.id]);
          runs.push({ answer, status: row?.status, output: row?.output });
        }
      }
      const [first] = runs;
      for (const run of runs) expect(run).toEqual(first);
      if (first?.status !== 'COMPLETED') return;
      expect(first.output).toEqual(readByGraphql(query, literal, operation.variables));
    }),
    sized(30),
  );
  socket.ws.close();
}, 180_000);

test('a variable in a JSON literal is stored as it was sent, whatever its type makes of it', async () => {
  const variables = { order: 'OLDEST_FIRST', when: '2026-01-31T12:00:00+02:00', id: 7, list: [1], token: '' };
  const query = `mutation ($token: String!, $order: JobOrder, $when: DateTime, $id: ID, $list: [Int!], $default: JobOrder = NEWEST_FIRST, $none: Int) {
    completeJob(input: { token: $token, output: { order: $order, in: [[$when, { id: $id }], $list], default: $default, none: $none } }) { __typename }
  }`;
  const job = await submit(longhaul, viewer.workspaceId);
  variables.token = await claim(longhaul, job);
  expect(await post({ query, variables })).toEqual({ data: { completeJob: { __typename: 'CompleteJobPayload' } } });
  const found = await longhaul.services.jobs.find(viewer.workspaceId, job.id);
  expect(found?.output).toEqual({ order: 'OLDEST_FIRST', in: [[variables.when, { id: 7 }], [1]], default: 'NEWEST_FIRST' });
});

test('an empty operationName is none in a GET, and the name of no operation in a POST, however often it comes', async () => {
  const query = 'query Named { __typename }';
  const get = (search: string) => fetch(`${longhaul.url}/graphql?query=${encodeURIComponent(query)}${search}`, { headers: { 'x-api-key': key } });
  for (let time = 0; time < times; time += 1) {
    for (const search of ['', '&operationName=', '&operationName=Other&operationName=', '&operationName=Named']) {
      expect(await json(await get(search)), search).toEqual({ data: { __typename: 'Query' } });
    }
    expect(await post({ query, variables: {}, operationName: '' })).toMatchObject({ errors: [{ extensions: { code: 'BAD_USER_INPUT' } }] });
  }
});

/** What graphql-js makes of a literal in place of a JSON argument, variables with their defaults. */
function readByGraphql(query: string, literal: string, given: Record<string, unknown>): unknown {
  const [definition] = parse(query).definitions;
  if (definition?.kind !== 'OperationDefinition') throw new Error('the document begins with something else');
  const variables: Record<string, unknown> = {};
  for (const { variable, defaultValue } of definition.variableDefinitions ?? []) {
    const name = variable.name.value;
    if (name in given) variables[name] = given[name];
    else if (defaultValue !== undefined) variables[name] = valueFromASTUntyped(defaultValue);
  }
  const [field] = definition.selectionSet.selections;
  if (field?.kind !== 'Field') throw new Error('no field was selected');
  const input = field.arguments?.[0]?.value;
  const node = input?.kind === 'ObjectValue' ? input.fields.find(({ name }) => name.value === 'output')?.value : undefined;
  if (node === undefined) throw new Error(`the output ${literal} is not there`);
  return JSON.parse(JSON.stringify(valueFromASTUntyped(node, variables) ?? null));
}

function context(): GraphQLContext {
  return { ...longhaul.services, viewer, loaders: createLoaders(longhaul.services), signal: null };
}

function told(result: ExecutionResult): object {
  const { errors } = result;
  return errors === undefined ? result : { ...result, errors: errors.map((error) => publicError(error, { ...longhaul.services, log: silentLog })) };
}

/** Whether it is over one of the limits, which graphql-js does not know. */
async function isTooLarge(operation: RandomOperation): Promise<boolean> {
  const opened = await new Operations(longhaul.services).open(viewer, operation);
  return opened instanceof Refusal && opened.errors.some(({ extensions }) => extensions['code'] === 'LIMIT_EXCEEDED');
}

/** By graphql-js alone, on the same schema and with the same context. */
async function carriedOut({ query, variables }: RandomOperation): Promise<object> {
  const document = parse(query);
  const errors = validate(schema, document);
  if (errors.length > 0) return told({ errors });
  return told(await execute({ schema, document, variableValues: variables, contextValue: context() }));
}

/** As graphql-js carries it out; but what it refuses for values in inputs, is refused by the mutations with those inputs. */
async function mutated(operation: RandomOperation): Promise<object> {
  const alone = await carriedOut(operation);
  const opened = await new Operations(longhaul.services).open(viewer, operation);
  if ('data' in alone || opened instanceof Refusal) return alone;
  const result = await opened.execute({ signal: null });
  if ('data' in result && !/@(skip|include)/.test(operation.query)) {
    // A mutation whose union has no ValidationError throws it.
    expect(JSON.stringify(result)).toMatch(/"__typename":"ValidationError"|"path":\["\w+"\]/);
  }
  return result;
}

/** The same, and it asks of what type each mutation's result is. */
function withTypenames({ query, variables }: RandomOperation): RandomOperation {
  const names = Object.keys(schema.getMutationType()?.getFields() ?? {});
  const typename = { kind: Kind.FIELD, name: { kind: Kind.NAME, value: '__typename' } } as const;
  const asked = visit(parse(query), {
    Field: (node) => {
      if (node.selectionSet === undefined || !names.includes(node.name.value)) return undefined;
      return { ...node, selectionSet: { ...node.selectionSet, selections: [typename, ...node.selectionSet.selections] } };
    },
  });
  return { query: print(asked), variables };
}

async function watched({ query, variables }: RandomOperation): Promise<unknown> {
  const document = parse(query);
  const faults = validate(schema, document);
  if (faults.length > 0) return [shown(told({ errors: faults }))];
  try {
    const events = await subscribe({ schema, document, variableValues: variables, contextValue: context() });
    if (!(Symbol.asyncIterator in events)) return [shown(told(events))];
    const all = [];
    for await (const event of events) all.push(shown(told(event)));
    return all;
  } catch (error) {
    if (error instanceof GraphQLError) return [shown(told({ errors: [error] }))];
    throw error;
  }
}

async function json(response: Response): Promise<object> {
  return JSON.parse(await response.text());
}

async function post(operation: RandomOperation & { operationName?: string }): Promise<object> {
  const headers = { 'content-type': 'application/json', 'x-api-key': key };
  return json(await fetch(`${longhaul.url}/graphql`, { method: 'POST', headers, body: JSON.stringify(operation) }));
}

function urlOf({ query, variables }: RandomOperation): string {
  return `${longhaul.url}/graphql?${new URLSearchParams({ query, variables: JSON.stringify(variables) })}`;
}

let operations = 0;

async function overSocket(socket: RawSocket, operation: RandomOperation): Promise<object>;
async function overSocket(socket: RawSocket, operation: RandomOperation, all: true): Promise<unknown>;
async function overSocket(socket: RawSocket, operation: RandomOperation, all = false): Promise<unknown> {
  operations += 1;
  const id = `operation ${operations}`;
  socket.subscribe(id, { ...operation });
  const last = await socket.end(id);
  // The protocol's own form of a document that cannot be carried out.
  if (last.type === 'error') return all ? [shown({ errors: last.payload })] : { errors: last.payload };
  const results = socket.payloads(id).map((payload) => JSON.parse(payload));
  return all ? results.map(shown) : results[0];
}

async function overEvents(operation: RandomOperation): Promise<object>;
async function overEvents(operation: RandomOperation, all: true): Promise<unknown>;
async function overEvents(operation: RandomOperation, all = false): Promise<unknown> {
  const events = await RawEvents.open(longhaul.url, key, { ...operation });
  await events.end();
  const results = events.payloads.map((payload) => JSON.parse(payload));
  return all ? results.map(shown) : results[0];
}

/** An answer without what differs from run to run: ids, instants, signatures, secrets; errors in whatever order they came. */
function shown(answer: unknown): unknown {
  const text = JSON.stringify(answer)
    .replaceAll(/[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}/g, (id) => (isInPools(id) ? id : '<id>'))
    .replaceAll(/[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}/g, '<error>')
    .replaceAll(/"\d{4}-\d\d-\d\dT[\d:.]+Z"/g, '"<instant>"')
    .replaceAll(/signature=[\w-]+/g, 'signature=<signature>')
    .replaceAll(/"(?:eyJ|whsec_)[\w.+/=-]+"/g, '"<secret>"');
  const { errors, ...rest } = JSON.parse(text);
  if (!Array.isArray(errors)) return rest;
  return { ...rest, errors: errors.map((error) => JSON.stringify(error)).toSorted() };
}

function isInPools(id: string): boolean {
  return (pools['ID'] ?? []).some((each) => typeof each === 'string' && each.includes(id));
}
