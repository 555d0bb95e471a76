/** Internal type. DO NOT USE DIRECTLY. */
type Exact<T extends { [key: string]: unknown }> = { [K in keyof T]: T[K] };
/** Internal type. DO NOT USE DIRECTLY. */
export type Incremental<T> = T | { [P in keyof T]?: P extends ' $fragmentName' | '__typename' ? T[P] : never };
import type { DocumentTypeDecoration } from '@graphql-typed-document-node/core';
export type ListedWorkerFragment = { id: string, name: string, types: Array<string>, running: number, alive: boolean, firstSeenAt: string, lastSeenAt: string };

export type ListWorkersQueryVariables = Exact<{
  alive?: boolean | null | undefined;
  first?: number | null | undefined;
  after?: string | null | undefined;
  last?: number | null | undefined;
  before?: string | null | undefined;
}>;


export type ListWorkersQuery = { workspace: { id: string, workers: { edges: Array<{ node: { id: string, name: string, types: Array<string>, running: number, alive: boolean, firstSeenAt: string, lastSeenAt: string } }>, pageInfo: { hasNextPage: boolean, hasPreviousPage: boolean, startCursor: string | null, endCursor: string | null } } } };

export type WorkersLeasesQueryVariables = Exact<{
  workerIds: Array<string> | string;
}>;


export type WorkersLeasesQuery = { jobs: { edges: Array<{ node: { id: string, type: string, startedAt: string | null, progress: { percentage: number | null } | null, attempts: Array<{ number: number, workerId: string, startedAt: string, endedAt: string | null }> } }>, pageInfo: { hasNextPage: boolean } } };

export class TypedDocumentString<TResult, TVariables>
  extends String
  implements DocumentTypeDecoration<TResult, TVariables>
{
  __apiType?: NonNullable<DocumentTypeDecoration<TResult, TVariables>['__apiType']>;
  private value: string;
  public __meta__?: Record<string, any> | undefined;

  constructor(value: string, __meta__?: Record<string, any> | undefined) {
    super(value);
    this.value = value;
    this.__meta__ = __meta__;
  }

  override toString(): string & DocumentTypeDecoration<TResult, TVariables> {
    return this.value;
  }
}
export const ListedWorkerFragmentDoc = new TypedDocumentString(`
    fragment ListedWorker on Worker {
  id
  name
  types
  running
  alive
  firstSeenAt
  lastSeenAt
}
    `, {"fragmentName":"ListedWorker"}) as unknown as TypedDocumentString<ListedWorkerFragment, unknown>;
export const ListWorkersDocument = new TypedDocumentString(`
    query ListWorkers($alive: Boolean, $first: Int, $after: String, $last: Int, $before: String) {
  workspace {
    id
    workers(
      alive: $alive
      first: $first
      after: $after
      last: $last
      before: $before
    ) {
      edges {
        node {
          ...ListedWorker
        }
      }
      pageInfo {
        hasNextPage
        hasPreviousPage
        startCursor
        endCursor
      }
    }
  }
}
    fragment ListedWorker on Worker {
  id
  name
  types
  running
  alive
  firstSeenAt
  lastSeenAt
}`) as unknown as TypedDocumentString<ListWorkersQuery, ListWorkersQueryVariables>;
export const WorkersLeasesDocument = new TypedDocumentString(`
    query WorkersLeases($workerIds: [String!]!) {
  jobs(filter: {workerIds: $workerIds, statuses: [RUNNING]}, first: 100) {
    edges {
      node {
        id
        type
        startedAt
        progress {
          percentage
        }
        attempts {
          number
          workerId
          startedAt
          endedAt
        }
      }
    }
    pageInfo {
      hasNextPage
    }
  }
}
    `) as unknown as TypedDocumentString<WorkersLeasesQuery, WorkersLeasesQueryVariables>;