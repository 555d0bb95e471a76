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
      'input progress output error tags priority attempts maxAttempts concurrencyKey concurrencyLimit downloadUrl ' +
      'downloadUrlExpiresAt retryOf cancelReason runAt nextAttemptAt clientReference createdAt startedAt finishedAt updatedAt dialect ' +
      'vendorId retries logs artifacts uploads',
    key: 'webhookDeliveries schedule',
  },
  WebhookDelivery: {
    all: 'id event status attemptCount createdAt deliveredAt',
    read: 'url job lastResponseStatus lastError',
  },
  CreditTransaction: { all: 'id kind amount balanceAfter createdAt', read: 'job' },
  // Without READ, ADMIN shows the others, too, but for deliveries. An access token that creates sees credits.
  Workspace: { all: 'id name', key: 'credits concurrencyLimit paused creditTransactions webhookDeliveries jobCounts statistics workers schedules bulkActions', admin: 'apiKeys auditEntries' },
  Viewer: { all: 'workspace scopes apiKey expiresAt rateLimit' },
  RateLimit: { all: 'limit remaining resetsAt' },
  JobCounts: { all: 'pending scheduled running completed failed cancelled oldestDueAt byType' },
  JobTypeCounts: { all: 'type pending running oldestDueAt' },
  StatisticsPoint: { all: 'at created completed failed cancelled failedAttempts waitP50 waitP95 runP50 runP95' },
  Worker: { all: 'id name types running alive firstSeenAt lastSeenAt' },
  ApiKey: { all: 'id name prefix lastUsedAt scopes dialect createdAt revokedAt' },
  JobProgress: { all: 'step message percentage' },
  JobError: { all: 'code message' },
  JobLogConnection: { all: 'edges pageInfo droppedLines' },
  JobLogEdge: { all: 'cursor node' },
  JobLogLine: { all: 'sequence attempt at level message fields' },
  Artifact: { all: 'id name filename mediaType bytes sha256 url expiresAt' },
  JobAttempt: { all: 'number workerId dueAt startedAt endedAt outcome error' },
  JobType: { key: 'pending', all: 'name description builtIn liveWorkers paused credits maxAttempts timeoutSeconds inputSchema outputSchema' },
  JobUpdate: { all: 'job cursor' },
  Lease: { all: 'job attempt files checkpoint token seconds expiresAt' },
  LeasedFile: { all: 'reference url filename mediaType bytes sha256' },
  LostLease: { all: 'jobId job attempt token reason' },
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
  BulkAction: { all: 'id kind status filter reason error total seen done refusals createdAt finishedAt' },
  BulkRefusal: { all: 'code count' },
  BulkActionConnection: { all: 'edges pageInfo' },
  BulkActionEdge: { all: 'cursor node' },
  StartBulkActionPayload: { all: 'bulkAction' },
  StopBulkActionPayload: { all: 'bulkAction' },
  WorkerConnection: { all: 'edges pageInfo' },
  WorkerEdge: { all: 'cursor node' },
  Schedule: {
    all: 'id name cron timeZone type overlap paused nextRunAt lastRunAt createdAt',
    read: 'input tags priority webhookUrl maxAttempts concurrencyKey concurrencyLimit lastError jobs',
  },
  ScheduleConnection: { all: 'edges pageInfo' },
  ScheduleEdge: { all: 'cursor node' },
  Upload: { all: 'id filename mediaType bytes receivedBytes sha256 complete expiresAt', key: 'url' },
  AuditEntry: { all: 'id at action actor target outcome ipAddress details' },
  AuditEntryConnection: { all: 'edges pageInfo' },
  AuditEntryEdge: { all: 'cursor node' },
  Node: { all: 'id' },
  UserError: { all: 'code message' },
  FieldIssue: { all: 'path message' },
  ValidationError: { all: 'code message issues' },
  NotFoundError: { all: 'code message' },
  InsufficientCreditsError: { all: 'code message required available' },
  QueueFullError: { all: 'code message limit' },
  QuotaExceededError: { all: 'code message limitBytes' },
  IdempotencyConflictError: { all: 'code message job bulkActionId' },
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
  CompleteJobsPayload: { all: 'results' },
  FailJobPayload: { all: 'job' },
  ReleaseJobPayload: { all: 'job' },
  AppendLogsPayload: { all: 'expiresAt sequence' },
  CreateUploadPayload: { all: 'upload uploadUrl' },
  CreateAccessTokenPayload: { all: 'token expiresAt' },
  CreateSchedulePayload: { all: 'schedule' },
  UpdateSchedulePayload: { all: 'schedule' },
  DeleteSchedulePayload: { all: 'id' },
  TriggerSchedulePayload: { all: 'job' },
  RedeliverWebhookPayload: { all: 'delivery' },
  RotateWebhookSecretPayload: { all: 'secret' },
  CreateWorkspacePayload: { all: 'workspace' },
  UpdateWorkspacePayload: { all: 'workspace' },
  UpdateJobTypePayload: { all: 'jobType' },
  GrantCreditsPayload: { all: 'workspace' },
  CreateApiKeyPayload: { all: 'apiKey secret' },
  RevokeApiKeyPayload: { all: 'apiKey' },
};

export const credentials = ['none', 'READ', 'WRITE', 'WORK', 'WORK_ALL', 'ADMIN', 'token', 'creating', 'foreign'] as const;

/** `token` is made with READ for the tag of the jobs that ways are about, `creating` with READ and WRITE; `foreign` is a key of another workspace with READ, WRITE and WORK. */
export type Credential = (typeof credentials)[number];

const readers = 'READ token creating foreign';
const creators = 'WRITE creating foreign';
const writers = 'WRITE foreign';
const workers = 'WORK WORK_ALL foreign';

/** Root fields: who may ask, whatever comes of it. */
export const roots: Record<string, { document: string; by: string }> = {
  'Query.node': { document: '{ node(id: "x") { id } }', by: readers },
  'Query.nodes': { document: '{ nodes(ids: ["x"]) { id } }', by: readers },
  'Query.job': { document: '{ job(id: "x") { id } }', by: `${readers} WORK WORK_ALL` },
  'Query.jobs': { document: '{ jobs { pageInfo { hasNextPage } } }', by: readers },
  'Query.jobTypes': { document: '{ jobTypes { name } }', by: readers },
  'Query.revealInput': { document: '{ revealInput(jobId: "x") }', by: 'READ foreign' },
  'Query.jobUpdatesCursor': { document: '{ jobUpdatesCursor }', by: readers },
  'Query.workspace': { document: '{ workspace { id } }', by: readers },
  'Query.viewer': { document: '{ viewer { workspace { id name } apiKey { id } } }', by: 'READ WRITE WORK WORK_ALL ADMIN token creating foreign' },
  'Query.workspaces': { document: '{ workspaces { pageInfo { hasNextPage } } }', by: 'ADMIN' },
  'Mutation.createJob': { document: 'mutation { createJob(input: { type: "x" }) { __typename } }', by: creators },
  'Mutation.createJobs': { document: 'mutation { createJobs(input: { jobs: [] }) { __typename } }', by: creators },
  'Mutation.cancelJob': { document: 'mutation { cancelJob(input: { id: "x" }) { __typename } }', by: creators },
  'Mutation.retryJob': { document: 'mutation { retryJob(input: { id: "x" }) { __typename } }', by: creators },
  'Mutation.claimJobs': { document: 'mutation { claimJobs(input: { types: [], workerId: "w" }) { __typename } }', by: workers },
  'Mutation.reportProgress': { document: 'mutation { reportProgress(input: { token: "x" }) { __typename } }', by: workers },
  'Mutation.completeJob': { document: 'mutation { completeJob(input: { token: "x" }) { __typename } }', by: workers },
  'Mutation.completeJobs': { document: 'mutation { completeJobs(input: { completions: [] }) { __typename } }', by: workers },
  'Mutation.failJob': { document: 'mutation { failJob(input: { token: "x", code: "X", message: "x" }) { __typename } }', by: workers },
  'Mutation.releaseJob': { document: 'mutation { releaseJob(input: { token: "x" }) { __typename } }', by: workers },
  'Mutation.createSchedule': { document: 'mutation { createSchedule(input: { name: "x", cron: "x", type: "x" }) { __typename } }', by: writers },
  'Mutation.updateSchedule': { document: 'mutation { updateSchedule(input: { id: "x" }) { __typename } }', by: writers },
  'Mutation.deleteSchedule': { document: 'mutation { deleteSchedule(input: { id: "x" }) { __typename } }', by: writers },
  'Mutation.triggerSchedule': { document: 'mutation { triggerSchedule(input: { id: "x" }) { __typename } }', by: writers },
  'Mutation.appendLogs': { document: 'mutation { appendLogs(input: { token: "x", lines: [] }) { __typename } }', by: workers },
  // A worker needs a lease's token, too: see uploads.test.ts.
  'Mutation.createUpload': { document: 'mutation { createUpload(input: { filename: "x" }) { __typename } }', by: creators },
  'Mutation.createAccessToken': { document: 'mutation { createAccessToken(input: {}) { __typename } }', by: 'READ WRITE foreign' },
  'Mutation.redeliverWebhook': { document: 'mutation { redeliverWebhook(input: { id: "x" }) { __typename } }', by: writers },
  'Mutation.rotateWebhookSecret': { document: 'mutation { rotateWebhookSecret { __typename } }', by: writers },
  'Mutation.startBulkAction': { document: 'mutation { startBulkAction(input: { kind: CANCEL }) { __typename } }', by: writers },
  'Mutation.stopBulkAction': { document: 'mutation { stopBulkAction(input: { id: "x" }) { __typename } }', by: writers },
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
  'Subscription.bulkActionProgress': { document: 'subscription { bulkActionProgress(id: "x") { id } }', by: 'READ foreign' },
  'Subscription.jobLogs': { document: 'subscription { jobLogs(id: "x") { sequence } }', by: readers },
  'Subscription.jobUpdates': { document: 'subscription { jobUpdates { cursor } }', by: readers },
  'Subscription.leaseLost': { document: 'subscription { leaseLost(workerId: "w") { attempt } }', by: workers },
};
