/** Internal type. DO NOT USE DIRECTLY. */
type Exact<T extends { [key: string]: unknown }> = { [K in keyof T]: T[K] };
/** Internal type. DO NOT USE DIRECTLY. */
export type Incremental<T> = T | { [P in keyof T]?: P extends ' $fragmentName' | '__typename' ? T[P] : never };
import type { DocumentTypeDecoration } from '@graphql-typed-document-node/core';
/** A job type to pause or to let go on. */
export type UpdateJobTypeInput = {
  /** Name of a job type: see `jobTypes`. */
  name: string;
  /** Whether its jobs wait, in every workspace. What runs goes on. */
  paused: boolean;
};

export type ListedTypeFragment = { name: string, description: string, credits: number, maxAttempts: number, timeoutSeconds: number, builtIn: boolean, liveWorkers: number, pending: number, paused: boolean, inputSchema: Record<string, unknown>, outputSchema: Record<string, unknown> | null };

export type ListTypesQueryVariables = Exact<{ [key: string]: never; }>;


export type ListTypesQuery = { jobTypes: Array<{ name: string, description: string, credits: number, maxAttempts: number, timeoutSeconds: number, builtIn: boolean, liveWorkers: number, pending: number, paused: boolean, inputSchema: Record<string, unknown>, outputSchema: Record<string, unknown> | null }> };

export type PauseTypeMutationVariables = Exact<{
  input: UpdateJobTypeInput;
}>;


export type PauseTypeMutation = { updateJobType:
    | { code: string, message: string }
    | { jobType: { name: string, description: string, credits: number, maxAttempts: number, timeoutSeconds: number, builtIn: boolean, liveWorkers: number, pending: number, paused: boolean, inputSchema: Record<string, unknown>, outputSchema: Record<string, unknown> | null } }
    | { code: string, message: string }
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
export const ListedTypeFragmentDoc = new TypedDocumentString(`
    fragment ListedType on JobType {
  name
  description
  credits
  maxAttempts
  timeoutSeconds
  builtIn
  liveWorkers
  pending
  paused
  inputSchema
  outputSchema
}
    `, {"fragmentName":"ListedType"}) as unknown as TypedDocumentString<ListedTypeFragment, unknown>;
export const ListTypesDocument = new TypedDocumentString(`
    query ListTypes {
  jobTypes {
    ...ListedType
  }
}
    fragment ListedType on JobType {
  name
  description
  credits
  maxAttempts
  timeoutSeconds
  builtIn
  liveWorkers
  pending
  paused
  inputSchema
  outputSchema
}`) as unknown as TypedDocumentString<ListTypesQuery, ListTypesQueryVariables>;
export const PauseTypeDocument = new TypedDocumentString(`
    mutation PauseType($input: UpdateJobTypeInput!) {
  updateJobType(input: $input) {
    ... on UpdateJobTypePayload {
      jobType {
        ...ListedType
      }
    }
    ... on UserError {
      code
      message
    }
  }
}
    fragment ListedType on JobType {
  name
  description
  credits
  maxAttempts
  timeoutSeconds
  builtIn
  liveWorkers
  pending
  paused
  inputSchema
  outputSchema
}`) as unknown as TypedDocumentString<PauseTypeMutation, PauseTypeMutationVariables>;