/*
 * Who gets what: every field of the schema by every kind of credential. A field that is new fails the first test until it is
 * listed here; list it under the least right that shows it, and write down each way to reach an object that is new.
 */

/**
 * Fields of objects, by who is shown them where the object is reached at all. `read` needs READ, wherever the object is not
 * handed to its worker; `key` needs READ and no access token; `admin` needs ADMIN.
 */
export const fields: Record<string, { all?: string; read?: string; key?: string; admin?: string }> = {
  Job: {
    all: 'id uuid type status version creditsCharged creditsRefunded',
    read:
      'input progress output error tags priority attempts maxAttempts downloadUrl downloadUrlExpiresAt retryOf cancelReason runAt ' +
      'nextAttemptAt createdAt startedAt finishedAt updatedAt dialect vendorId retries',
    key: 'webhookDeliveries',
  },
  WebhookDelivery: {
    all: 'id event status attemptCount createdAt deliveredAt',
    read: 'url lastResponseStatus lastError',
  },
  CreditTransaction: { all: 'id kind amount balanceAfter createdAt', read: 'job' },
  // Without READ, ADMIN shows the others, too, but for deliveries.
  Workspace: { all: 'id name', key: 'credits concurrencyLimit paused creditTransactions webhookDeliveries jobCounts statistics workers', admin: 'apiKeys' },
  Viewer: { all: 'workspace scopes apiKey expiresAt rateLimit' },
  RateLimit: { all: 'limit remaining resetsAt' },
  JobCounts: { all: 'pending scheduled running completed failed cancelled oldestDueAt byType' },
  JobTypeCounts: { all: 'type pending running oldestDueAt' },
  StatisticsPoint: { all: 'at created completed failed cancelled failedAttempts waitP50 waitP95 runP50 runP95' },
  Worker: { all: 'id name types running alive firstSeenAt lastSeenAt' },
  ApiKey: { all: 'id name prefix lastUsedAt scopes dialect createdAt revokedAt' },
  JobProgress: { all: 'step message percentage' },
  JobError: { all: 'code message' },
  JobAttempt: { all: 'number workerId dueAt startedAt endedAt outcome error' },
  JobType: { all: 'name description builtIn liveWorkers pending paused credits maxAttempts timeoutSeconds inputSchema' },
  JobUpdate: { all: 'job cursor' },
  Lease: { all: 'job attempt token seconds expiresAt' },
  PageInfo: { all: 'hasNextPage hasPreviousPage startCursor endCursor' },
  JobConnection: { all: 'edges pageInfo totalCount count' },
  JobCount: { all: 'value exact' },
  JobEdge: { all: 'cursor node' },
  WebhookDeliveryConnection: { all: 'edges pageInfo' },
  WebhookDeliveryEdge: { all: 'cursor node' },
  CreditTransactionConnection: { all: 'edges pageInfo' },
  CreditTransactionEdge: { all: 'cursor node' },
  WorkspaceConnection: { all: 'edges pageInfo' },
  WorkspaceEdge: { all: 'cursor node' },
  ApiKeyConnection: { all: 'edges pageInfo' },
  ApiKeyEdge: { all: 'cursor node' },
  WorkerConnection: { all: 'edges pageInfo' },
  WorkerEdge: { all: 'cursor node' },
  Node: { all: 'id' },
  UserError: { all: 'code message' },
  FieldIssue: { all: 'path message' },
  ValidationError: { all: 'code message issues' },
  NotFoundError: { all: 'code message' },
  InsufficientCreditsError: { all: 'code message required available' },
  QueueFullError: { all: 'code message limit' },
  IdempotencyConflictError: { all: 'code message job' },
  AlreadyFinishedError: { all: 'code message job' },
  LeaseLostError: { all: 'code message job' },
  NotRetryableError: { all: 'code message job' },
  JobWarning: { all: 'code message' },
  CreateJobPayload: { all: 'job warnings' },
  CreateJobsPayload: { all: 'jobs warnings' },
  CancelJobPayload: { all: 'job creditsRefunded' },
  RetryJobPayload: { all: 'job' },
  ClaimJobsPayload: { all: 'leases' },
  ReportProgressPayload: { all: 'expiresAt' },
  CompleteJobPayload: { all: 'job' },
  FailJobPayload: { all: 'job' },
  ReleaseJobPayload: { all: 'job' },
  CreateAccessTokenPayload: { all: 'token expiresAt' },
  RedeliverWebhookPayload: { all: 'delivery' },
  RotateWebhookSecretPayload: { all: 'secret' },
  CreateWorkspacePayload: { all: 'workspace' },
  UpdateWorkspacePayload: { all: 'workspace' },
  UpdateJobTypePayload: { all: 'jobType' },
  GrantCreditsPayload: { all: 'workspace' },
  CreateApiKeyPayload: { all: 'apiKey secret' },
  RevokeApiKeyPayload: { all: 'apiKey' },
};

export const credentials = ['none', 'READ', 'WRITE', 'WORK', 'WORK_ALL', 'ADMIN', 'token', 'foreign'] as const;

/** `token` is made with READ for the job that a way is about; `foreign` is a key of another workspace with READ, WRITE and WORK. */
export type Credential = (typeof credentials)[number];

const readers = 'READ token foreign';
const writers = 'WRITE foreign';
const workers = 'WORK WORK_ALL foreign';

/** Root fields: who may ask, whatever comes of it. */
export const roots: Record<string, { document: string; by: string }> = {
  'Query.node': { document: '{ node(id: "x") { id } }', by: readers },
  'Query.nodes': { document: '{ nodes(ids: ["x"]) { id } }', by: readers },
  'Query.job': { document: '{ job(id: "x") { id } }', by: `${readers} WORK WORK_ALL` },
  'Query.jobs': { document: '{ jobs { pageInfo { hasNextPage } } }', by: readers },
  'Query.jobTypes': { document: '{ jobTypes { name } }', by: readers },
  'Query.jobUpdatesCursor': { document: '{ jobUpdatesCursor }', by: readers },
  'Query.workspace': { document: '{ workspace { id } }', by: 'READ foreign' },
  'Query.viewer': { document: '{ viewer { workspace { id name } apiKey { id } } }', by: 'READ WRITE WORK WORK_ALL ADMIN token foreign' },
  'Query.workspaces': { document: '{ workspaces { pageInfo { hasNextPage } } }', by: 'ADMIN' },
  'Mutation.createJob': { document: 'mutation { createJob(input: { type: "x" }) { __typename } }', by: writers },
  'Mutation.createJobs': { document: 'mutation { createJobs(input: { jobs: [] }) { __typename } }', by: writers },
  'Mutation.cancelJob': { document: 'mutation { cancelJob(input: { id: "x" }) { __typename } }', by: writers },
  'Mutation.retryJob': { document: 'mutation { retryJob(input: { id: "x" }) { __typename } }', by: writers },
  'Mutation.claimJobs': { document: 'mutation { claimJobs(input: { types: [], workerId: "w" }) { __typename } }', by: workers },
  'Mutation.reportProgress': { document: 'mutation { reportProgress(input: { token: "x" }) { __typename } }', by: workers },
  'Mutation.completeJob': { document: 'mutation { completeJob(input: { token: "x" }) { __typename } }', by: workers },
  'Mutation.failJob': { document: 'mutation { failJob(input: { token: "x", code: "X", message: "x" }) { __typename } }', by: workers },
  'Mutation.releaseJob': { document: 'mutation { releaseJob(input: { token: "x" }) { __typename } }', by: workers },
  'Mutation.createAccessToken': { document: 'mutation { createAccessToken(input: {}) { __typename } }', by: 'READ foreign' },
  'Mutation.redeliverWebhook': { document: 'mutation { redeliverWebhook(input: { id: "x" }) { __typename } }', by: writers },
  'Mutation.rotateWebhookSecret': { document: 'mutation { rotateWebhookSecret { __typename } }', by: writers },
  'Mutation.createWorkspace': { document: 'mutation { createWorkspace(input: { name: "" }) { __typename } }', by: 'ADMIN' },
  'Mutation.updateWorkspace': { document: 'mutation { updateWorkspace(input: { id: "x" }) { __typename } }', by: 'ADMIN' },
  'Mutation.updateJobType': { document: 'mutation { updateJobType(input: { name: "x", paused: true }) { __typename } }', by: 'ADMIN' },
  'Mutation.grantCredits': { document: 'mutation { grantCredits(input: { workspaceId: "x", amount: 1 }) { __typename } }', by: 'ADMIN' },
  'Mutation.createApiKey': {
    document: 'mutation { createApiKey(input: { workspaceId: "x", name: "x", scopes: [] }) { __typename } }',
    by: 'ADMIN',
  },
  'Mutation.revokeApiKey': { document: 'mutation { revokeApiKey(input: { id: "x" }) { __typename } }', by: 'ADMIN' },
  'Subscription.jobProgress': { document: 'subscription { jobProgress(id: "x") { id } }', by: `${readers} WORK WORK_ALL` },
  'Subscription.jobUpdates': { document: 'subscription { jobUpdates { cursor } }', by: readers },
};
