/** Internal type. DO NOT USE DIRECTLY. */
type Exact<T extends { [key: string]: unknown }> = { [K in keyof T]: T[K] };
/** Internal type. DO NOT USE DIRECTLY. */
export type Incremental<T> = T | { [P in keyof T]?: P extends ' $fragmentName' | '__typename' ? T[P] : never };
import type { DocumentTypeDecoration } from '@graphql-typed-document-node/core';
/** The job to create. */
export type CreateJobInput = {
  /** The submitter's own name for the job; not unique. At most 255 characters. */
  clientReference?: string | null | undefined;
  /** Of the workspace's jobs with this key, at most concurrencyLimit run at once, whatever their types. At most 255 characters. */
  concurrencyKey?: string | null | undefined;
  /** 1 to 1,000; 1 where only the key is given. The key's limit is that of the job created last; a lower one stops claims, not what runs. */
  concurrencyLimit?: number | null | undefined;
  /** Requests with the same key and content within 24 hours return the same job, charged once. At most 255 characters. */
  idempotencyKey?: string | null | undefined;
  /** Must match the type's inputSchema. Default: {}. */
  input?: Record<string, unknown> | null | undefined;
  /** 1 to 100. Default: the type's own. */
  maxAttempts?: number | null | undefined;
  /** Minutes of head start, -100 to 100. Default: 0. */
  priority?: number | null | undefined;
  /** The job does not start before this instant. Default: now. */
  runAt?: string | null | undefined;
  /** At most 20, each of 1 to 100 characters. */
  tags?: Array<string> | null | undefined;
  /** Name of a job type: see `jobTypes`. */
  type: string;
  /** An http or https URL. An invalid one is a ValidationError. */
  webhookUrl?: string | null | undefined;
};

export type ReadTypesQueryVariables = Exact<{ [key: string]: never; }>;


export type ReadTypesQuery = { jobTypes: Array<{ name: string, description: string, credits: number, inputSchema: Record<string, unknown>, paused: boolean, liveWorkers: number }> };

export type ReadJobToRepeatQueryVariables = Exact<{
  id: string | number;
}>;


export type ReadJobToRepeatQuery = { job: { id: string, type: string, tags: Array<string>, priority: number, maxAttempts: number, clientReference: string | null, concurrencyKey: string | null, concurrencyLimit: number | null, input: Record<string, unknown> } | null };

export type CreateThisJobMutationVariables = Exact<{
  input: CreateJobInput;
}>;


export type CreateThisJobMutation = { createJob:
    | { job: { id: string }, warnings: Array<{ code: string, message: string }> }
    | { code: string, message: string }
    | { code: string, message: string }
    | { code: string, message: string }
    | { code: string, message: string, issues: Array<{ path: Array<string>, message: string }> }
   | null };

export type RevealInputToRepeatQueryVariables = Exact<{
  id: string | number;
}>;


export type RevealInputToRepeatQuery = { revealInput: Record<string, unknown> | null };

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

export const ReadTypesDocument = new TypedDocumentString(`
    query ReadTypes {
  jobTypes {
    name
    description
    credits
    inputSchema
    paused
    liveWorkers
  }
}
    `) as unknown as TypedDocumentString<ReadTypesQuery, ReadTypesQueryVariables>;
export const ReadJobToRepeatDocument = new TypedDocumentString(`
    query ReadJobToRepeat($id: ID!) {
  job(id: $id) {
    id
    type
    tags
    priority
    maxAttempts
    clientReference
    concurrencyKey
    concurrencyLimit
    input
  }
}
    `) as unknown as TypedDocumentString<ReadJobToRepeatQuery, ReadJobToRepeatQueryVariables>;
export const CreateThisJobDocument = new TypedDocumentString(`
    mutation CreateThisJob($input: CreateJobInput!) {
  createJob(input: $input) {
    ... on CreateJobPayload {
      job {
        id
      }
      warnings {
        code
        message
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
    `) as unknown as TypedDocumentString<CreateThisJobMutation, CreateThisJobMutationVariables>;
export const RevealInputToRepeatDocument = new TypedDocumentString(`
    query RevealInputToRepeat($id: ID!) {
  revealInput(jobId: $id)
}
    `) as unknown as TypedDocumentString<RevealInputToRepeatQuery, RevealInputToRepeatQueryVariables>;