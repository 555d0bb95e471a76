import {
  commitMutation,
  createOperationDescriptor,
  type Environment,
  fetchQuery,
  getPaginationMetadata,
  getPaginationVariables,
  getSingularSelector,
  type MutationParameters,
  type OperationDescriptor,
  type ReaderFragment,
  requestSubscription,
} from 'relay-runtime';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { type Longhaul, sharedLonghaul } from '../support/longhaul.ts';
import { compileRelay, type RelayArtifacts, relayEnvironment } from '../support/relay.ts';

const documents = [
  `query JobListQuery($filter: JobFilter) { ...JobList_query @arguments(filter: $filter) }`,

  `fragment JobList_query on Query
   @argumentDefinitions(count: { type: "Int", defaultValue: 2 }, cursor: { type: "String" }, filter: { type: "JobFilter" })
   @refetchable(queryName: "JobListPaginationQuery") {
     jobs(first: $count, after: $cursor, filter: $filter) @connection(key: "JobList_jobs") {
       __id
       edges { node { id status ...JobListRow_job } }
     }
   }`,

  // By node(id), because a Job is a Node.
  `fragment JobListRow_job on Job @refetchable(queryName: "JobListRowRefetchQuery") { uuid status }`,

  `mutation JobListCreateMutation($input: CreateJobInput!, $connections: [ID!]!) {
     createJob(input: $input) {
       ... on CreateJobPayload { job @prependNode(connections: $connections, edgeTypeName: "JobEdge") { id status } }
       ... on UserError { message }
     }
   }`,

  `mutation JobListCancelMutation($input: CancelJobInput!) {
     cancelJob(input: $input) { ... on CancelJobPayload { creditsRefunded } ... on UserError { message } }
   }`,

  `subscription JobListProgressSubscription($id: ID!) { jobProgress(id: $id) { id version status } }`,
];

let longhaul: Longhaul;
let artifacts: RelayArtifacts;
beforeAll(async () => {
  longhaul = await sharedLonghaul();
  artifacts = await compileRelay('JobList', documents);
});
afterAll(() => longhaul.stop());

const input = { type: 'comments', input: { sourceUrl: 'https://example.com/a.mp4' } };

test('Relay creates, pages through a refetchable fragment, watches and cancels', async () => {
  const environment = relayEnvironment(longhaul.url, await (await longhaul.workspace()).key());
  const created: string[] = [];
  for (let count = 1; count <= 5; count += 1) created.push(await create(environment, []));

  const list = await JobList.load(environment);
  expect(list.shown).toEqual([created[4], created[3]].map((id) => `${id} PENDING`));
  while (list.hasNext) await list.loadNext();
  expect(list.shown).toEqual(created.toReversed().map((id) => `${id} PENDING`));

  // One more, which Relay puts at the head of the list by itself.
  const newest = await create(environment, [list.connection]);
  expect(list.shown).toEqual([newest, ...created.toReversed()].map((id) => `${id} PENDING`));

  const [id = ''] = created;
  const statuses: string[] = [];
  await new Promise<void>((resolve, reject) => {
    requestSubscription<Operation<{ id: string }, { jobProgress: { status: string } }>>(environment, {
      subscription: artifacts.operation('JobListProgressSubscription'),
      variables: { id },
      onNext: (response) => {
        const { status } = response?.jobProgress ?? { status: 'no job' };
        statuses.push(status);
        if (status === 'PENDING') cancel(environment, id).catch(reject);
      },
      onError: reject,
      onCompleted: resolve,
    });
  });
  expect(statuses).toEqual(['PENDING', 'CANCELLED']);
  // By the event alone: the mutation did not ask for the job, and the list was not loaded again.
  expect(list.shown.at(-1)).toBe(`${id} CANCELLED`);
});

test('Relay refetches a fragment of a job by node(id)', async () => {
  const environment = relayEnvironment(longhaul.url, await (await longhaul.workspace()).key());
  const id = await create(environment, []);
  const refetch = artifacts.operation('JobListRowRefetchQuery');
  await cancel(environment, id);
  await fetchQuery(environment, refetch, { id }).toPromise();
  const { data } = environment.lookup(createOperationDescriptor(refetch, { id }).fragment);
  expect(read(environment, artifacts.fragment('JobListRow_job'), data?.['node'])).toMatchObject({
    uuid: expect.any(String),
    status: 'CANCELLED',
  });
});

interface Operation<Variables extends object, Response> {
  variables: Variables;
  response: Response;
}

interface Created extends MutationParameters {
  response: { createJob: { job: { id: string } } | { message: string } };
}

interface Cancelled extends MutationParameters {
  response: { cancelJob: { creditsRefunded: number } | { message: string } };
}

function create(environment: Environment, connections: string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    commitMutation<Created>(environment, {
      mutation: artifacts.operation('JobListCreateMutation'),
      variables: { input, connections },
      onCompleted: ({ createJob }) => {
        if ('job' in createJob) resolve(createJob.job.id);
        else reject(new Error(`refused: ${createJob.message}`));
      },
      onError: reject,
    });
  });
}

function cancel(environment: Environment, id: string): Promise<void> {
  return new Promise((resolve, reject) => {
    commitMutation<Cancelled>(environment, {
      mutation: artifacts.operation('JobListCancelMutation'),
      variables: { input: { id } },
      onCompleted: ({ cancelJob }) => {
        if ('creditsRefunded' in cancelJob) resolve();
        else reject(new Error(`refused: ${cancelJob.message}`));
      },
      onError: reject,
    });
  });
}

/** What a component sees that has this fragment. */
function read(environment: Environment, fragment: ReaderFragment, reference: unknown) {
  return environment.lookup(getSingularSelector(fragment, reference)).data;
}

const listData = z.object({
  jobs: z.object({
    __id: z.string(),
    edges: z.array(z.object({ node: z.object({ id: z.string(), status: z.string() }) })),
    pageInfo: z.object({ hasNextPage: z.boolean(), endCursor: z.string() }),
  }),
});

/** What Relay's usePaginationFragment does, without React. */
class JobList {
  readonly #environment: Environment;
  readonly #query: OperationDescriptor;
  readonly #fragment = artifacts.fragment('JobList_query');

  private constructor(environment: Environment, query: OperationDescriptor) {
    this.#environment = environment;
    this.#query = query;
    // Or the store would be free to forget it.
    environment.retain(query);
  }

  static async load(environment: Environment): Promise<JobList> {
    const query = createOperationDescriptor(artifacts.operation('JobListQuery'), { filter: { types: [input.type] } });
    await environment.execute({ operation: query }).toPromise();
    return new JobList(environment, query);
  }

  async loadNext(): Promise<void> {
    const { paginationRequest, paginationMetadata } = getPaginationMetadata(this.#fragment, 'JobList');
    const { endCursor } = this.#jobs.pageInfo;
    const { variables } = this.#query.request;
    const next = getPaginationVariables('forward', 2, endCursor, variables, {}, paginationMetadata);
    await fetchQuery(this.#environment, paginationRequest, next).toPromise();
  }

  get shown(): string[] {
    return this.#jobs.edges.map(({ node }) => `${node.id} ${node.status}`);
  }

  get hasNext(): boolean {
    return this.#jobs.pageInfo.hasNextPage;
  }

  /** The record that holds the edges. */
  get connection(): string {
    const { __id: id } = this.#jobs;
    return id;
  }

  get #jobs() {
    const { data } = this.#environment.lookup(this.#query.fragment);
    return listData.parse(read(this.#environment, this.#fragment, data)).jobs;
  }
}
