/** Internal type. DO NOT USE DIRECTLY. */
type Exact<T extends { [key: string]: unknown }> = { [K in keyof T]: T[K] };
/** Internal type. DO NOT USE DIRECTLY. */
export type Incremental<T> = T | { [P in keyof T]?: P extends ' $fragmentName' | '__typename' ? T[P] : never };
import type { DocumentTypeDecoration } from '@graphql-typed-document-node/core';
/** The tenant to create. */
export type CreateWorkspaceInput = {
  /** How many jobs may run at once, 1 to 10,000. Default: unlimited. */
  concurrencyLimit?: number | null | undefined;
  /** The initial balance, 0 to 1,000,000,000. Default: 0. */
  credits?: number | null | undefined;
  /** 1 to 200 characters. */
  name: string;
};

/** What is left out stays as it was. */
export type UpdateWorkspaceInput = {
  /** How many jobs may run at once, 1 to 10,000; null takes the limit away. A lower one stops claims, not what runs. */
  concurrencyLimit?: number | null | undefined;
  /** The workspace's global id or plain UUID. */
  id: string | number;
  /** 1 to 200 characters. */
  name?: string | null | undefined;
  /** Whether its jobs wait. What runs goes on. */
  paused?: boolean | null | undefined;
};

export type ListedWorkspaceFragment = { id: string, name: string, paused: boolean, concurrencyLimit: number | null, credits: number };

export type ListWorkspacesQueryVariables = Exact<{
  first?: number | null | undefined;
  after?: string | null | undefined;
  last?: number | null | undefined;
  before?: string | null | undefined;
}>;


export type ListWorkspacesQuery = { workspaces: { edges: Array<{ node: { id: string, name: string, paused: boolean, concurrencyLimit: number | null, credits: number } }>, pageInfo: { hasNextPage: boolean, hasPreviousPage: boolean, startCursor: string | null, endCursor: string | null } } };

export type MakeWorkspaceMutationVariables = Exact<{
  input: CreateWorkspaceInput;
}>;


export type MakeWorkspaceMutation = { createWorkspace:
    | { workspace: { id: string, name: string, paused: boolean, concurrencyLimit: number | null, credits: number } }
    | { code: string, message: string, issues: Array<{ path: Array<string>, message: string }> }
   | null };

export type ChangeWorkspaceMutationVariables = Exact<{
  input: UpdateWorkspaceInput;
}>;


export type ChangeWorkspaceMutation = { updateWorkspace:
    | { code: string, message: string }
    | { workspace: { id: string, name: string, paused: boolean, concurrencyLimit: number | null, credits: number } }
    | { code: string, message: string, issues: Array<{ path: Array<string>, message: string }> }
   | null };

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
export const ListedWorkspaceFragmentDoc = new TypedDocumentString(`
    fragment ListedWorkspace on Workspace {
  id
  name
  paused
  concurrencyLimit
  credits
}
    `, {"fragmentName":"ListedWorkspace"}) as unknown as TypedDocumentString<ListedWorkspaceFragment, unknown>;
export const ListWorkspacesDocument = new TypedDocumentString(`
    query ListWorkspaces($first: Int, $after: String, $last: Int, $before: String) {
  workspaces(first: $first, after: $after, last: $last, before: $before) {
    edges {
      node {
        ...ListedWorkspace
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
    fragment ListedWorkspace on Workspace {
  id
  name
  paused
  concurrencyLimit
  credits
}`) as unknown as TypedDocumentString<ListWorkspacesQuery, ListWorkspacesQueryVariables>;
export const MakeWorkspaceDocument = new TypedDocumentString(`
    mutation MakeWorkspace($input: CreateWorkspaceInput!) {
  createWorkspace(input: $input) {
    ... on CreateWorkspacePayload {
      workspace {
        ...ListedWorkspace
      }
    }
    ... on UserError {
      code
      message
    }
    ... on ValidationError {
      issues {
        path
        message
      }
    }
  }
}
    fragment ListedWorkspace on Workspace {
  id
  name
  paused
  concurrencyLimit
  credits
}`) as unknown as TypedDocumentString<MakeWorkspaceMutation, MakeWorkspaceMutationVariables>;
export const ChangeWorkspaceDocument = new TypedDocumentString(`
    mutation ChangeWorkspace($input: UpdateWorkspaceInput!) {
  updateWorkspace(input: $input) {
    ... on UpdateWorkspacePayload {
      workspace {
        ...ListedWorkspace
      }
    }
    ... on UserError {
      code
      message
    }
    ... on ValidationError {
      issues {
        path
        message
      }
    }
  }
}
    fragment ListedWorkspace on Workspace {
  id
  name
  paused
  concurrencyLimit
  credits
}`) as unknown as TypedDocumentString<ChangeWorkspaceMutation, ChangeWorkspaceMutationVariables>;