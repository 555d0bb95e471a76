import { ApolloClient, gql } from '@apollo/client';
import { type AnyVariables, Client as UrqlClient, type OperationResult } from '@urql/core';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { pipe, subscribe } from 'wonka';
import { LonghaulCache, LonghaulLink } from '../../clients/js/src/apollo/index.ts';
import { type Client, ConnectionError, NotFoundError, unwrap, ValidationError } from '../../clients/js/src/index.ts';
import { longhaulExchange } from '../../clients/js/src/urql/index.ts';
import { eventually } from '../support/eventually.ts';
import { holding, losingAnswers, packageUser } from '../support/javascript-client.ts';
import { type Longhaul, sharedLonghaul } from '../support/longhaul.ts';

let longhaul: Longhaul;
beforeAll(async () => {
  longhaul = await sharedLonghaul();
});
afterAll(() => longhaul.stop());

interface ShownJob {
  id: string;
  version: number;
  status: string;
}

const watching = 'subscription ($id: ID!, $afterVersion: Int) { jobProgress(id: $id, afterVersion: $afterVersion) { id version status progress { percentage } } }';
const creating = `mutation ($input: CreateJobInput!) { createJob(input: $input) {
  ... on CreateJobPayload { job { id version status } } ... on UserError { code message } ... on ValidationError { issues { path message } } } }`;
const input = { type: 'comments', input: { sourceUrl: 'https://example.com/a.mp4' } };

interface Created {
  createJob: { job: ShownJob } | { code: string; message: string } | null;
}

/** What Apollo Client and urql have in common. Failures are thrown as the library hands them over. */
interface Library {
  query<Data>(document: string, variables: AnyVariables): Promise<Data | undefined>;
  mutate<Data>(document: string, variables: AnyVariables): Promise<Data | undefined>;
  watch(variables: AnyVariables, onJob: (job: ShownJob) => void): { ended: Promise<void>; leave(): void };
}

const libraries: { library: string; open: (client: Client) => Library }[] = [
  { library: 'Apollo Client', open: openApollo },
  { library: 'urql', open: openUrql },
];

test.each(libraries)('$library watches a job to its end though its connection is cut at each event', async ({ open }) => {
  const { client, tenant, sockets } = await packageUser(longhaul);
  const { job, token } = await tenant.running();
  const seen: ShownJob[] = [];
  const { ended } = open(client).watch({ id: job.id }, async (shown) => {
    seen.push(shown);
    sockets.at(-1)?.close(4499, 'cut');
    if (seen.length < 3) await tenant.report(token, { percentage: seen.length * 10 });
    else if (shown.status === 'RUNNING') await tenant.complete(token);
  });
  await ended;
  expect(seen.map(({ status }) => status)).toEqual(['RUNNING', 'RUNNING', 'RUNNING', 'COMPLETED']);
  expect(new Set(seen.map(({ version }) => version)).size).toBe(4);
  expect(sockets.length).toBeGreaterThan(3);
});

test.each(libraries)('$library asks again where an answer is lost, but a mutation only with an idempotency key: there is no second job', async ({ open }) => {
  const [repeated, sentOnce, read] = await Promise.all([1, 2, 3].map(() => packageUser(longhaul, { fetch: losingAnswers(/./, 1) })));
  if (repeated === undefined || sentOnce === undefined || read === undefined) throw new Error('Three users were made.');
  const created = await open(repeated.client).mutate<Created>(creating, { input: { ...input, idempotencyKey: 'once' } });
  expect(unwrap(created?.createJob)).toMatchObject({ job: { status: 'PENDING' } });
  await expect(open(sentOnce.client).mutate<Created>(creating, { input })).rejects.toThrow(ConnectionError);
  for (const { tenant } of [repeated, sentOnce]) expect(await tenant.count('FROM job WHERE workspace_id = $1')).toBe(1);
  expect(await open(read.client).query('{ viewer { scopes } }', {})).toMatchObject({ viewer: { scopes: expect.arrayContaining(['READ']) } });
});

test.each(libraries)("$library hands over this package's errors, of the class of their code", async ({ open }) => {
  const { client } = await packageUser(longhaul);
  const opened = open(client);
  const refused = await opened.mutate<Created>(creating, { input: { ...input, input: {} } });
  expect(() => unwrap(refused?.createJob)).toThrow(ValidationError);
  expect(() => unwrap(refused?.createJob)).toThrow(expect.objectContaining({ issues: [expect.objectContaining({ path: ['input', 'sourceUrl'] })] }));
  await expect(opened.watch({ id: 'job_0198a000-0000-7000-8000-000000000000' }, () => {}).ended).rejects.toThrow(NotFoundError);
  await expect(opened.query('{ jobs(first: 0) { edges { cursor } } }', {})).rejects.toMatchObject({ code: 'BAD_USER_INPUT', retryable: false });
});

test.each(libraries)('$library leaves nothing behind when it leaves a job', async ({ open }) => {
  const { client, tenant, sockets } = await packageUser(longhaul);
  const { id } = await tenant.create();
  const first = Promise.withResolvers<void>();
  const { leave } = open(client).watch({ id }, () => first.resolve());
  await first.promise;
  leave();
  await eventually(() => expect(sockets.map(({ readyState }) => readyState)).toEqual([WebSocket.CLOSED]));
});

test("Apollo's cache joins pages, and keeps the newer version of a job when an older answer comes late", async () => {
  const { held, fetch } = holding(/late/);
  const { client, tenant } = await packageUser(longhaul, { fetch });
  const apollo = apolloOf(client);
  const jobs = await tenant.createAll([{}, {}, {}]);
  const query = gql('query ($after: String) { jobs(first: 2, after: $after) { edges { node { id version status } } pageInfo { hasNextPage endCursor } } }');
  const list = apollo.watchQuery<{ jobs: { edges: { node: ShownJob }[]; pageInfo: { endCursor: string } } }>({ query });
  const watched = list.subscribe(() => {});
  const shown = () => apollo.readQuery<{ jobs: { edges: { node: ShownJob }[] } }>({ query })?.jobs.edges.map(({ node }) => `${node.id} ${node.status}`);
  const { data } = await apollo.query<{ jobs: { pageInfo: { endCursor: string } } }>({ query });
  await list.fetchMore({ variables: { after: data?.jobs.pageInfo.endCursor } });
  const ids = jobs.map(({ id }) => `job_${id}`).toReversed();
  expect(shown()).toEqual(ids.map((id) => `${id} PENDING`));

  const [id = ''] = ids;
  const late = apollo.query<{ job: ShownJob & { priority: number } }>({
    query: gql('query late($id: ID!) { job(id: $id) { id version status priority } }'), variables: { id }, fetchPolicy: 'network-only',
  });
  await eventually(() => expect(held.answered()).toBe(1));
  await openApollo(client, apollo).watch({ id }, ({ status }) => status === 'PENDING' && void tenant.cancel(id.replace('job_', ''))).ended;
  expect(shown()?.[0]).toBe(`${id} CANCELLED`);
  held.release();
  // What is new in it is taken, and what is older is not.
  expect((await late).data?.job).toMatchObject({ status: 'CANCELLED', priority: 0 });
  expect(shown()?.[0]).toBe(`${id} CANCELLED`);
  watched.unsubscribe();
});

function apolloOf(client: Client): ApolloClient {
  const apollo = new ApolloClient({ link: new LonghaulLink(client), cache: new LonghaulCache() });
  onTestFinished(() => apollo.stop());
  return apollo;
}

function openApollo(client: Client, apollo = apolloOf(client)): Library {
  return {
    query: async <Data>(document: string, variables: AnyVariables) => (await apollo.query<Data>({ query: gql(document), variables: { ...variables } })).data,
    mutate: async <Data>(document: string, variables: AnyVariables) => (await apollo.mutate<Data>({ mutation: gql(document), variables: { ...variables } })).data,
    watch: (variables, onJob) => {
      const { promise: ended, resolve, reject } = Promise.withResolvers<void>();
      const watch = apollo.subscribe<{ jobProgress: ShownJob }>({ query: gql(watching), variables: { ...variables } }).subscribe({
        next: ({ data, error }) => (data == null ? reject(error) : onJob(data.jobProgress)),
        error: reject,
        complete: resolve,
      });
      return { ended, leave: () => watch.unsubscribe() };
    },
  };
}

function openUrql(client: Client): Library {
  const urql = new UrqlClient({ url: longhaul.url, preferGetMethod: false, exchanges: [longhaulExchange(client)] });
  return {
    query: async <Data>(document: string, variables: AnyVariables) => dataOf(await urql.query<Data>(document, variables)),
    mutate: async <Data>(document: string, variables: AnyVariables) => dataOf(await urql.mutation<Data>(document, variables)),
    watch: (variables, onJob) => {
      const { promise: ended, resolve, reject } = Promise.withResolvers<void>();
      const watch = pipe(urql.subscription<{ jobProgress: ShownJob }>(watching, variables), subscribe(({ data, error, hasNext }) => {
        if (error !== undefined) reject(error.networkError);
        else if (hasNext && data !== undefined) onJob(data.jobProgress);
        // It says once more what came last.
        else resolve();
      }));
      return { ended, leave: () => watch.unsubscribe() };
    },
  };
}

function dataOf<Data>({ data, error }: OperationResult<Data>): Data | undefined {
  if (error !== undefined) throw error.networkError ?? error;
  return data;
}
