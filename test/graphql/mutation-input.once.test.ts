import { afterAll, beforeAll, expect, test } from 'vitest';
import type { JsonObject } from '../../src/json.ts';
import { type Longhaul, sharedLonghaul } from '../support/longhaul.ts';
import { rest } from '../support/rest.ts';

let longhaul: Longhaul;
let key: string;
beforeAll(async () => {
  longhaul = await sharedLonghaul();
  key = await (await longhaul.workspace()).key();
});
afterAll(() => longhaul.stop());

const sourceUrl = 'https://example.com/video.mp4';

test.each<{ what: string; mutation?: string; literal: string; sent?: JsonObject; path: string[] }>([
  { what: 'a number for a string', literal: '{ type: 7 }', sent: { type: 7 }, path: ['type'] },
  { what: 'a word without quotes for a string', literal: '{ type: download }', path: ['type'] },
  { what: 'null for what is required', literal: '{ type: null }', sent: { type: null }, path: ['type'] },
  { what: 'nothing for what is required', literal: '{ priority: 1 }', sent: { priority: 1 }, path: ['type'] },
  { what: 'a field that there is not', literal: '{ type: "comments", typ: 1 }', sent: { type: 'comments', typ: 1 }, path: ['typ'] },
  { what: 'a string for an integer', literal: '{ type: "comments", priority: "high" }', sent: { type: 'comments', priority: 'high' }, path: ['priority'] },
  { what: 'an integer beyond Int', literal: '{ type: "comments", priority: 4294967296 }', sent: { type: 'comments', priority: 4294967296 }, path: ['priority'] },
  { what: 'a fraction for an integer', literal: '{ type: "comments", maxAttempts: 1.5 }', sent: { type: 'comments', maxAttempts: 1.5 }, path: ['maxAttempts'] },
  { what: 'a day that does not exist', literal: '{ type: "comments", runAt: "2026-02-30T00:00:00Z" }', sent: { type: 'comments', runAt: '2026-02-30T00:00:00Z' }, path: ['runAt'] },
  { what: 'an instant without an offset', literal: '{ type: "comments", runAt: "2026-01-01T00:00:00" }', sent: { type: 'comments', runAt: '2026-01-01T00:00:00' }, path: ['runAt'] },
  { what: 'a list for an object', literal: '{ type: "comments", input: [1] }', sent: { type: 'comments', input: [1] }, path: ['input'] },
  { what: 'a number in a list of strings', literal: '{ type: "comments", tags: ["a", 1] }', sent: { type: 'comments', tags: ['a', 1] }, path: ['tags', '1'] },
  { what: 'null in a list', literal: '{ type: "comments", tags: [null] }', sent: { type: 'comments', tags: [null] }, path: ['tags', '0'] },
  { what: 'a fault in one of many', mutation: 'createJobs', literal: '{ jobs: [{ type: "comments" }, { type: true }] }', sent: { jobs: [{ type: 'comments' }, { type: true }] }, path: ['jobs', '1', 'type'] },
  { what: 'a boolean for an id', mutation: 'cancelJob', literal: '{ id: true }', sent: { id: true }, path: ['id'] },
  { what: 'a string for a boolean', mutation: 'failJob', literal: '{ token: "t", code: "C", message: "m", retryable: "no" }', sent: { token: 't', code: 'C', message: 'm', retryable: 'no' }, path: ['retryable'] },
  { what: 'a string for a number', mutation: 'reportProgress', literal: '{ token: "t", percentage: "50" }', sent: { token: 't', percentage: '50' }, path: ['percentage'] },
  { what: 'a scope that there is not', mutation: 'createApiKey', literal: '{ workspaceId: "x", name: "n", scopes: [READ, ALL] }', sent: { workspaceId: 'x', name: 'n', scopes: ['READ', 'ALL'] }, path: ['scopes', '1'] },
])('an input is refused at the field, in a literal as in a variable: $what', async ({ mutation = 'createJob', literal, sent, path }) => {
  const type = `${mutation.charAt(0).toUpperCase()}${mutation.slice(1)}Input`;
  const selection = '{ __typename ... on ValidationError { code issues { path message } } }';
  const refused = { code: 'VALIDATION_ERROR', issues: [{ path, message: expect.stringMatching(/expected|known/) }] };
  const { adminKey } = longhaul;
  const written = await longhaul.graphql(`mutation { it: ${mutation}(input: ${literal}) ${selection} }`, {}, adminKey);
  expect(written).toMatchObject({ status: 200, errors: [], data: { it: refused } });
  if (sent === undefined) return;
  const inVariable = await longhaul.graphql(`mutation ($input: ${type}!) { it: ${mutation}(input: $input) ${selection} }`, { input: sent }, adminKey);
  expect(inVariable).toEqual(written);
});

test('a variable that is a field of an input is refused at that field, and other mutations of the request run', async () => {
  const own = await longhaul.workspace();
  const ownKey = await own.key();
  const query = `mutation ($type: String!, $priority: Int, $tags: [String!]) {
    bad: createJob(input: { type: $type, priority: $priority, tags: $tags }) { ...result }
    good: createJob(input: { type: "comments", input: { sourceUrl: "${sourceUrl}" } }) { ...result }
  }
  fragment result on CreateJobResult { __typename ... on ValidationError { issues { path } } }`;
  const good = { __typename: 'CreateJobPayload' };
  const several = await longhaul.graphql(query, { type: 'comments', priority: 'high', tags: ['a', 1] }, ownKey);
  expect(several).toMatchObject({ status: 200, errors: [], data: { bad: { issues: [{ path: ['priority'] }, { path: ['tags', '1'] }] }, good } });
  expect(await longhaul.graphql(query, {}, ownKey)).toMatchObject({ errors: [], data: { bad: { issues: [{ path: ['type'] }] }, good } });
  // The key is looked at first.
  const reader = await own.key({ scopes: ['READ'] });
  expect(await longhaul.graphql(query, {}, reader)).toMatchObject({ errors: [{ extensions: { code: 'FORBIDDEN' } }, { extensions: { code: 'FORBIDDEN' } }] });
});

test.each([
  { what: 'left out', variables: {}, refused: true },
  { what: 'null', variables: { reason: null }, refused: true },
  { what: 'given', variables: { reason: 'r' }, refused: false },
])('a variable that must not be null is so where its field may be: one that is $what', async ({ variables, refused }) => {
  const operations = [
    'mutation A($reason: String!) { cancelJob(input: { id: "x", reason: $reason }) { ...it } }',
    'mutation A($reason: String!) { ...both } fragment both on Mutation { cancelJob(input: { id: "x", reason: $reason }) { ...it } }',
    'mutation A($reason: [String!]!) { cancelJob: createJob(input: { type: "comments", tags: $reason }) { ...it } }',
  ];
  for (const operation of operations) {
    const query = `${operation} fragment it on UserError { code ... on ValidationError { issues { path } } }`;
    const answer = await longhaul.graphql(query, variables, key);
    expect([operation, answer]).toMatchObject([
      operation,
      { status: 200, data: { cancelJob: { code: expect.stringMatching(/ERROR|FOUND/) } } },
    ]);
    const issues = expect.arrayContaining([{ path: [operation.includes('tags') ? 'tags' : 'reason'] }]);
    expect(answer.data?.['cancelJob']).toEqual(refused ? { code: 'VALIDATION_ERROR', issues } : expect.not.objectContaining({ issues }));
  }
  // A default stands for one that is left out, and another operation of the document may allow null.
  const query = `mutation A($reason: String! = "r") { cancelJob(input: { id: "x", reason: $reason }) { ...it } }
    mutation B($reason: String) { cancelJob(input: { id: "x", reason: $reason }) { ...it } } fragment it on UserError { code }`;
  const post = async (operationName: string) => {
    const { body } = await rest(`${longhaul.url}/graphql`, { key, json: { query, variables, operationName } });
    return body;
  };
  const code = 'reason' in variables && variables.reason === null ? 'VALIDATION_ERROR' : 'NOT_FOUND';
  expect(await post('A')).toMatchObject({ data: { cancelJob: { code } } });
  expect(await post('B')).toMatchObject({ data: { cancelJob: { code: 'NOT_FOUND' } } });
});
