/** Internal type. DO NOT USE DIRECTLY. */
type Exact<T extends { [key: string]: unknown }> = { [K in keyof T]: T[K] };
/** Internal type. DO NOT USE DIRECTLY. */
export type Incremental<T> = T | { [P in keyof T]?: P extends ' $fragmentName' | '__typename' ? T[P] : never };
import type { DocumentTypeDecoration } from '@graphql-typed-document-node/core';
/** Why a balance changed. */
export type CreditTransactionKind =
  /** Paid for a job when it was created. */
  | 'CHARGE'
  /** Granted by an administrator. */
  | 'GRANT'
  /** Returned for a job that FAILED or was CANCELLED. */
  | 'REFUND';

/** Credits to add to a workspace's balance. */
export type GrantCreditsInput = {
  /** 1 to 1,000,000,000. */
  amount: number;
  /** Calls with the same key and amount within 24 hours grant once. */
  idempotencyKey?: string | null | undefined;
  /** The workspace's global id or plain UUID. */
  workspaceId: string | number;
};

export type LedgerLineFragment = { id: string, kind: CreditTransactionKind, amount: number, balanceAfter: number, createdAt: string, job: { id: string, type: string } | null };

export type ReadLedgerQueryVariables = Exact<{
  first?: number | null | undefined;
  after?: string | null | undefined;
  last?: number | null | undefined;
  before?: string | null | undefined;
}>;


export type ReadLedgerQuery = { workspace: { id: string, name: string, credits: number, creditTransactions: { edges: Array<{ node: { id: string, kind: CreditTransactionKind, amount: number, balanceAfter: number, createdAt: string, job: { id: string, type: string } | null } }>, pageInfo: { hasNextPage: boolean, hasPreviousPage: boolean, startCursor: string | null, endCursor: string | null } } } };

export type AddCreditsMutationVariables = Exact<{
  input: GrantCreditsInput;
}>;


export type AddCreditsMutation = { grantCredits:
    | { workspace: { id: string, name: string, credits: number } }
    | { code: string, message: string }
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
export const LedgerLineFragmentDoc = new TypedDocumentString(`
    fragment LedgerLine on CreditTransaction {
  id
  kind
  amount
  balanceAfter
  createdAt
  job {
    id
    type
  }
}
    `, {"fragmentName":"LedgerLine"}) as unknown as TypedDocumentString<LedgerLineFragment, unknown>;
export const ReadLedgerDocument = new TypedDocumentString(`
    query ReadLedger($first: Int, $after: String, $last: Int, $before: String) {
  workspace {
    id
    name
    credits
    creditTransactions(first: $first, after: $after, last: $last, before: $before) {
      edges {
        node {
          ...LedgerLine
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
    fragment LedgerLine on CreditTransaction {
  id
  kind
  amount
  balanceAfter
  createdAt
  job {
    id
    type
  }
}`) as unknown as TypedDocumentString<ReadLedgerQuery, ReadLedgerQueryVariables>;
export const AddCreditsDocument = new TypedDocumentString(`
    mutation AddCredits($input: GrantCreditsInput!) {
  grantCredits(input: $input) {
    ... on GrantCreditsPayload {
      workspace {
        id
        name
        credits
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
    `) as unknown as TypedDocumentString<AddCreditsMutation, AddCreditsMutationVariables>;