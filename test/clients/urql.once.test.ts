import { cacheExchange, Client, fetchExchange, type OperationResult, subscriptionExchange } from '@urql/core';
import { createClient } from 'graphql-ws';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { pipe, toAsyncIterable } from 'wonka';
import { WebSocket } from 'ws';
import {
  CancelJobDocument,
  CreateJobDocument,
  JobDocument,
  JobProgressDocument,
  JobsDocument,
  type JobsQuery,
} from '../graphql/generated/graphql.ts';
import { type Longhaul, sharedLonghaul } from '../support/longhaul.ts';

let longhaul: Longhaul;
beforeAll(async () => {
  longhaul = await sharedLonghaul();
});
afterAll(() => longhaul.stop());

const input = { type: 'comments', input: { sourceUrl: 'https://example.com/a.mp4' } };

test.each([
  { how: 'with POST', preferGetMethod: false },
  { how: 'reading with GET', preferGetMethod: 'force' },
] as const)('urql $how creates, pages, watches and cancels', async ({ preferGetMethod }) => {
  const { client, methods } = connect(await (await longhaul.workspace()).key(), preferGetMethod);

  const created: string[] = [];
  for (let count = 1; count <= 5; count += 1) {
    const { createJob } = dataOf(await client.mutation(CreateJobDocument, { input }));
    if (createJob === null || 'code' in createJob) throw new Error(`refused: ${JSON.stringify(createJob)}`);
    created.push(createJob.job.id);
  }

  const seen: string[] = [];
  let after: string | null = null;
  do {
    const { jobs }: JobsQuery = dataOf(await client.query(JobsDocument, { first: 2, after }));
    seen.push(...jobs.edges.map(({ node }) => node.id));
    after = jobs.pageInfo.hasNextPage ? jobs.pageInfo.endCursor : null;
  } while (after !== null);
  expect(seen).toEqual(created.toReversed());

  const [id = ''] = created;
  expect(dataOf(await client.query(JobDocument, { id })).job).toMatchObject({ status: 'PENDING' });
  const statuses: string[] = [];
  for await (const event of pipe(client.subscription(JobProgressDocument, { id }), toAsyncIterable)) {
    // urql says once more what came last, when the subscription has ended.
    if (!event.hasNext) break;
    const { status } = dataOf(event).jobProgress;
    statuses.push(status);
    if (status !== 'PENDING') continue;
    const { cancelJob } = dataOf(await client.mutation(CancelJobDocument, { input: { id } }));
    expect(cancelJob).toMatchObject({ __typename: 'CancelJobPayload', creditsRefunded: 1 });
  }
  expect(statuses).toEqual(['PENDING', 'CANCELLED']);

  // The mutation named the type, so the document cache asks again.
  expect(dataOf(await client.query(JobDocument, { id })).job).toMatchObject({ status: 'CANCELLED' });
  expect([...methods].toSorted()).toEqual(preferGetMethod === false ? ['POST'] : ['GET', 'POST']);
});

function connect(key: string, preferGetMethod: 'force' | false): { client: Client; methods: Set<string> } {
  const url = `${longhaul.url}/graphql`;
  const headers = { authorization: `Bearer ${key}` };
  const sockets = createClient({
    url: url.replace(/^http/, 'ws'),
    webSocketImpl: WebSocket,
    connectionParams: headers,
    retryAttempts: 0,
  });
  onTestFinished(async () => {
    await sockets.dispose();
  });
  const methods = new Set<string>();
  const client = new Client({
    url,
    preferGetMethod,
    fetchOptions: { headers },
    fetch: (resource, init) => {
      methods.add(init?.method ?? 'GET');
      return fetch(resource, init);
    },
    exchanges: [
      cacheExchange,
      fetchExchange,
      subscriptionExchange({
        forwardSubscription: ({ query = '', variables = {} }) => ({
          subscribe: (sink) => ({
            unsubscribe: sockets.subscribe(
              { query, variables },
              {
                next: ({ data, errors }) =>
                  sink.next({
                    ...(data == null ? {} : { data }),
                    ...(errors === undefined ? {} : { errors: errors.map(({ message }) => new Error(message)) }),
                  }),
                error: (error) => sink.error(error),
                complete: () => sink.complete(),
              },
            ),
          }),
        }),
      }),
    ],
  });
  return { client, methods };
}

function dataOf<Data>({ data, error }: OperationResult<Data>): Data {
  if (error !== undefined) throw error;
  if (data === undefined) throw new Error('neither data nor an error');
  return data;
}
