import { ApolloClient, ApolloLink, HttpLink, InMemoryCache } from '@apollo/client';
import { GraphQLWsLink } from '@apollo/client/link/subscriptions';
import { relayStylePagination } from '@apollo/client/utilities';
import type { TypedDocumentNode } from '@graphql-typed-document-node/core';
import {
  buildClientSchema,
  getIntrospectionQuery,
  type IntrospectionQuery,
  isAbstractType,
  OperationTypeNode,
  parse,
} from 'graphql';
import { createClient } from 'graphql-ws';
import { concatMap, lastValueFrom, toArray } from 'rxjs';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { WebSocket } from 'ws';
import { CancelJobDocument, CreateJobDocument, JobProgressDocument, JobsDocument } from '../graphql/generated/graphql.ts';
import { ask } from '../support/client.ts';
import { type Longhaul, sharedLonghaul } from '../support/longhaul.ts';

let longhaul: Longhaul;
beforeAll(async () => {
  longhaul = await sharedLonghaul();
});
afterAll(() => longhaul.stop());

const input = { type: 'comments', input: { sourceUrl: 'https://example.com/a.mp4' } };

test('Apollo Client creates, pages, watches and cancels, and its cache follows the events', async () => {
  const client = await connect(await (await longhaul.workspace()).key());

  const created: string[] = [];
  for (let count = 1; count <= 5; count += 1) {
    const { data } = await client.mutate({ mutation: CreateJobDocument, variables: { input } });
    const createJob = data?.createJob;
    if (createJob == null || 'code' in createJob) throw new Error(`refused: ${JSON.stringify(createJob)}`);
    created.push(createJob.job.id);
  }

  const list = client.watchQuery({ query: JobsDocument, variables: { first: 2 } });
  const shown = list.subscribe(() => undefined);
  let { data: page } = await client.query({ query: JobsDocument, variables: { first: 2 } });
  while (page?.jobs.pageInfo.hasNextPage === true) {
    ({ data: page } = await list.fetchMore({ variables: { after: page.jobs.pageInfo.endCursor } }));
  }
  // All pages are one list in the cache, joined by their cursors.
  expect(listed()).toEqual(created.toReversed().map((id) => `${id} PENDING`));

  const [id = ''] = created;
  const statuses = await lastValueFrom(
    client.subscribe({ query: JobProgressDocument, variables: { id } }).pipe(
      concatMap(async ({ data, error }) => {
        if (data == null) throw error ?? new Error('an event without data');
        const { status } = data.jobProgress;
        if (status === 'PENDING') {
          const cancelled = await client.mutate({ mutation: CancelJobDocument, variables: { input: { id } } });
          expect(cancelled.data?.cancelJob).toMatchObject({ __typename: 'CancelJobPayload', creditsRefunded: 1 });
        }
        return status;
      }),
      toArray(),
    ),
  );
  expect(statuses).toEqual(['PENDING', 'CANCELLED']);

  // The list was not asked for again: the job has one id wherever it appears.
  expect(listed()).toEqual([...created.slice(1).toReversed().map((other) => `${other} PENDING`), `${id} CANCELLED`]);
  shown.unsubscribe();

  function listed(): string[] {
    const { jobs } = client.readQuery({ query: JobsDocument, variables: { first: 2 } }) ?? {};
    return jobs?.edges.map(({ node }) => `${node.id} ${node.status}`) ?? [];
  }
});

async function connect(key: string): Promise<ApolloClient> {
  const uri = `${longhaul.url}/graphql`;
  const headers = { authorization: `Bearer ${key}` };
  const sockets = createClient({
    url: uri.replace(/^http/, 'ws'),
    webSocketImpl: WebSocket,
    connectionParams: headers,
    retryAttempts: 0,
  });
  const client = new ApolloClient({
    link: ApolloLink.split(
      ({ operationType }) => operationType === OperationTypeNode.SUBSCRIPTION,
      new GraphQLWsLink(sockets),
      new HttpLink({ uri, headers }),
    ),
    cache: new InMemoryCache({
      typePolicies: { Query: { fields: { jobs: relayStylePagination(['filter', 'order']) } } },
      possibleTypes: await possibleTypes(),
    }),
  });
  onTestFinished(async () => {
    client.stop();
    await sockets.dispose();
  });
  return client;
}

/** The members of interfaces and unions, which Apollo's cache wants to know: asked of the server, as its manual says. */
async function possibleTypes(): Promise<Record<string, string[]>> {
  const document: TypedDocumentNode<IntrospectionQuery, Record<string, never>> = parse(getIntrospectionQuery());
  const schema = buildClientSchema(await ask(longhaul.url, longhaul.adminKey, document, {}));
  const abstract = Object.values(schema.getTypeMap()).filter(isAbstractType);
  return Object.fromEntries(abstract.map((type) => [type.name, schema.getPossibleTypes(type).map(({ name }) => name)]));
}
