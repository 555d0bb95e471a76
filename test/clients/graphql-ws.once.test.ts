import type { TypedDocumentNode } from '@graphql-typed-document-node/core';
import { print } from 'graphql';
import { createClient } from 'graphql-ws';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { WebSocket } from 'ws';
import {
  CancelJobDocument,
  CreateJobDocument,
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

test('a bare graphql-ws client creates, pages, watches and cancels over one socket', async () => {
  const key = await (await longhaul.workspace()).key();
  let sockets = 0;
  const client = createClient({
    url: `${longhaul.url.replace(/^http/, 'ws')}/graphql`,
    webSocketImpl: WebSocket,
    connectionParams: { apiKey: key },
    // Opened now, for everything, and not for each operation.
    lazy: false,
    retryAttempts: 0,
    on: {
      opened: () => {
        sockets += 1;
      },
    },
  });
  onTestFinished(async () => {
    await client.dispose();
  });

  const created: string[] = [];
  for (let count = 1; count <= 5; count += 1) {
    const { createJob } = await only(iterate(CreateJobDocument, { input }));
    if (createJob === null || 'code' in createJob) throw new Error(`refused: ${JSON.stringify(createJob)}`);
    created.push(createJob.job.id);
  }

  const seen: string[] = [];
  let after: string | null = null;
  do {
    const { jobs }: JobsQuery = await only(iterate(JobsDocument, { first: 2, after }));
    seen.push(...jobs.edges.map(({ node }) => node.id));
    after = jobs.pageInfo.hasNextPage ? jobs.pageInfo.endCursor : null;
  } while (after !== null);
  expect(seen).toEqual(created.toReversed());

  const [id = ''] = created;
  const statuses: string[] = [];
  for await (const { jobProgress } of iterate(JobProgressDocument, { id })) {
    statuses.push(jobProgress.status);
    if (jobProgress.status !== 'PENDING') continue;
    // Beside the subscription, on its socket.
    const { cancelJob } = await only(iterate(CancelJobDocument, { input: { id } }));
    expect(cancelJob).toMatchObject({ __typename: 'CancelJobPayload', creditsRefunded: 1, job: { id } });
  }
  expect(statuses).toEqual(['PENDING', 'CANCELLED']);
  expect(sockets).toBe(1);

  async function* iterate<Data, Variables extends Record<string, unknown>>(
    document: TypedDocumentNode<Data, Variables>,
    variables: Variables,
  ): AsyncGenerator<Data, void> {
    for await (const { data, errors } of client.iterate<Data>({ query: print(document), variables })) {
      if (data == null || errors !== undefined) throw new Error(`refused: ${JSON.stringify(errors)}`);
      yield data;
    }
  }
});

/** What a query or a mutation answers: one result, and then the end. */
async function only<Data>(results: AsyncGenerator<Data, void>): Promise<Data> {
  const all = await Array.fromAsync(results);
  const [first] = all;
  if (first === undefined || all.length !== 1) throw new Error(`${all.length} results in place of one`);
  return first;
}
