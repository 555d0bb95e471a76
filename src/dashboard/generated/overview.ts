/** Internal type. DO NOT USE DIRECTLY. */
type Exact<T extends { [key: string]: unknown }> = { [K in keyof T]: T[K] };
/** Internal type. DO NOT USE DIRECTLY. */
export type Incremental<T> = T | { [P in keyof T]?: P extends ' $fragmentName' | '__typename' ? T[P] : never };
import type { DocumentTypeDecoration } from '@graphql-typed-document-node/core';
/** The length of a step of statistics. */
export type StatisticsStep =
  /** UTC's. Kept for 2 years. */
  | 'DAY'
  /** Kept for 60 days. */
  | 'HOUR'
  /** Kept for 2 days. */
  | 'MINUTE';

export type OverviewNowQueryVariables = Exact<{ [key: string]: never; }>;


export type OverviewNowQuery = { workspace: { id: string, paused: boolean, credits: number, concurrencyLimit: number | null, jobCounts: { pending: number, running: number, scheduled: number, completed: number, failed: number, cancelled: number, oldestDueAt: string | null, byType: Array<{ type: string, pending: number, running: number, oldestDueAt: string | null }> }, workers: { edges: Array<{ node: { id: string, running: number } }>, pageInfo: { hasNextPage: boolean } }, webhookDeliveries: { edges: Array<{ node: { id: string } }>, pageInfo: { hasNextPage: boolean } }, undelivered: { edges: Array<{ node: { id: string, attemptCount: number } }> }, schedules: { edges: Array<{ node: { id: string, name: string, lastError: { code: string, message: string } | null } }> } }, jobTypes: Array<{ name: string, credits: number, pending: number, liveWorkers: number, paused: boolean }> };

export type PointFragment = { at: string, created: number, completed: number, failed: number, cancelled: number, failedAttempts: number, waitP50: number | null, waitP95: number | null, runP50: number | null, runP95: number | null };

export type OverviewStatisticsQueryVariables = Exact<{
  from: string;
  step: StatisticsStep;
}>;


export type OverviewStatisticsQuery = { workspace: { id: string, statistics: Array<{ at: string, created: number, completed: number, failed: number, cancelled: number, failedAttempts: number, waitP50: number | null, waitP95: number | null, runP50: number | null, runP95: number | null }> } };

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
export const PointFragmentDoc = new TypedDocumentString(`
    fragment Point on StatisticsPoint {
  at
  created
  completed
  failed
  cancelled
  failedAttempts
  waitP50
  waitP95
  runP50
  runP95
}
    `, {"fragmentName":"Point"}) as unknown as TypedDocumentString<PointFragment, unknown>;
export const OverviewNowDocument = new TypedDocumentString(`
    query OverviewNow {
  workspace {
    id
    paused
    credits
    concurrencyLimit
    jobCounts {
      pending
      running
      scheduled
      completed
      failed
      cancelled
      oldestDueAt
      byType {
        type
        pending
        running
        oldestDueAt
      }
    }
    workers(alive: true, first: 100) {
      edges {
        node {
          id
          running
        }
      }
      pageInfo {
        hasNextPage
      }
    }
    webhookDeliveries(statuses: [FAILED], first: 100) {
      edges {
        node {
          id
        }
      }
      pageInfo {
        hasNextPage
      }
    }
    undelivered: webhookDeliveries(statuses: [PENDING], first: 100) {
      edges {
        node {
          id
          attemptCount
        }
      }
    }
    schedules(first: 100) {
      edges {
        node {
          id
          name
          lastError {
            code
            message
          }
        }
      }
    }
  }
  jobTypes {
    name
    credits
    pending
    liveWorkers
    paused
  }
}
    `) as unknown as TypedDocumentString<OverviewNowQuery, OverviewNowQueryVariables>;
export const OverviewStatisticsDocument = new TypedDocumentString(`
    query OverviewStatistics($from: DateTime!, $step: StatisticsStep!) {
  workspace {
    id
    statistics(from: $from, step: $step) {
      ...Point
    }
  }
}
    fragment Point on StatisticsPoint {
  at
  created
  completed
  failed
  cancelled
  failedAttempts
  waitP50
  waitP95
  runP50
  runP95
}`) as unknown as TypedDocumentString<OverviewStatisticsQuery, OverviewStatisticsQueryVariables>;