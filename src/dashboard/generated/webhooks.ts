/** Internal type. DO NOT USE DIRECTLY. */
type Exact<T extends { [key: string]: unknown }> = { [K in keyof T]: T[K] };
/** Internal type. DO NOT USE DIRECTLY. */
export type Incremental<T> = T | { [P in keyof T]?: P extends ' $fragmentName' | '__typename' ? T[P] : never };
import type { DocumentTypeDecoration } from '@graphql-typed-document-node/core';
/** The delivery to send again. */
export type RedeliverWebhookInput = {
  /** The delivery's global id. */
  id: string | number;
};

/** The state of a delivery. */
export type WebhookDeliveryStatus =
  /** Answered with 2xx. */
  | 'DELIVERED'
  /** Every try failed. redeliverWebhook starts over. */
  | 'FAILED'
  /** Waiting for its first or next try. */
  | 'PENDING';

/** The event that a delivery reports. */
export type WebhookEvent =
  /** The job was cancelled. */
  | 'JOB_CANCELLED'
  /** The job ended with a result. */
  | 'JOB_COMPLETED'
  /** The job failed for good. */
  | 'JOB_FAILED';

export type ListedDeliveryFragment = { id: string, event: WebhookEvent, status: WebhookDeliveryStatus, url: string, attemptCount: number, lastResponseStatus: number | null, lastError: string | null, createdAt: string, deliveredAt: string | null, job: { id: string, type: string } | null };

export type ListDeliveriesQueryVariables = Exact<{
  statuses?: Array<WebhookDeliveryStatus> | WebhookDeliveryStatus | null | undefined;
  first?: number | null | undefined;
  after?: string | null | undefined;
  last?: number | null | undefined;
  before?: string | null | undefined;
}>;


export type ListDeliveriesQuery = { workspace: { id: string, webhookDeliveries: { edges: Array<{ node: { id: string, event: WebhookEvent, status: WebhookDeliveryStatus, url: string, attemptCount: number, lastResponseStatus: number | null, lastError: string | null, createdAt: string, deliveredAt: string | null, job: { id: string, type: string } | null } }>, pageInfo: { hasNextPage: boolean, hasPreviousPage: boolean, startCursor: string | null, endCursor: string | null } } } };

export type SendDeliveryAgainMutationVariables = Exact<{
  input: RedeliverWebhookInput;
}>;


export type SendDeliveryAgainMutation = { redeliverWebhook:
    | { code: string, message: string }
    | { delivery: { id: string } }
   | null };

export type NewSigningSecretMutationVariables = Exact<{ [key: string]: never; }>;


export type NewSigningSecretMutation = { rotateWebhookSecret: { secret: string } | null };

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
export const ListedDeliveryFragmentDoc = new TypedDocumentString(`
    fragment ListedDelivery on WebhookDelivery {
  id
  event
  status
  url
  attemptCount
  lastResponseStatus
  lastError
  createdAt
  deliveredAt
  job {
    id
    type
  }
}
    `, {"fragmentName":"ListedDelivery"}) as unknown as TypedDocumentString<ListedDeliveryFragment, unknown>;
export const ListDeliveriesDocument = new TypedDocumentString(`
    query ListDeliveries($statuses: [WebhookDeliveryStatus!], $first: Int, $after: String, $last: Int, $before: String) {
  workspace {
    id
    webhookDeliveries(
      statuses: $statuses
      first: $first
      after: $after
      last: $last
      before: $before
    ) {
      edges {
        node {
          ...ListedDelivery
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
    fragment ListedDelivery on WebhookDelivery {
  id
  event
  status
  url
  attemptCount
  lastResponseStatus
  lastError
  createdAt
  deliveredAt
  job {
    id
    type
  }
}`) as unknown as TypedDocumentString<ListDeliveriesQuery, ListDeliveriesQueryVariables>;
export const SendDeliveryAgainDocument = new TypedDocumentString(`
    mutation SendDeliveryAgain($input: RedeliverWebhookInput!) {
  redeliverWebhook(input: $input) {
    ... on RedeliverWebhookPayload {
      delivery {
        id
      }
    }
    ... on UserError {
      code
      message
    }
  }
}
    `) as unknown as TypedDocumentString<SendDeliveryAgainMutation, SendDeliveryAgainMutationVariables>;
export const NewSigningSecretDocument = new TypedDocumentString(`
    mutation NewSigningSecret {
  rotateWebhookSecret {
    secret
  }
}
    `) as unknown as TypedDocumentString<NewSigningSecretMutation, NewSigningSecretMutationVariables>;