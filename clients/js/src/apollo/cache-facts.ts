// Printed from the schema by `npm run schema`.

/** The members of its unions, and what implements its interfaces. */
export const possibleTypes: Record<string, string[]> = {
  AppendLogsResult: ['AppendLogsPayload', 'LeaseLostError', 'ValidationError'],
  CancelJobResult: ['AlreadyFinishedError', 'CancelJobPayload', 'NotFoundError', 'ValidationError'],
  ClaimJobsResult: ['ClaimJobsPayload', 'ValidationError'],
  CompleteJobResult: ['CompleteJobPayload', 'LeaseLostError', 'ValidationError'],
  CompleteJobsResult: ['CompleteJobsPayload', 'ValidationError'],
  CreateAccessTokenResult: ['CreateAccessTokenPayload', 'NotFoundError', 'ValidationError'],
  CreateApiKeyResult: ['CreateApiKeyPayload', 'NotFoundError', 'ValidationError'],
  CreateJobResult: ['CreateJobPayload', 'IdempotencyConflictError', 'InsufficientCreditsError', 'QueueFullError', 'ValidationError'],
  CreateJobsResult: ['CreateJobsPayload', 'IdempotencyConflictError', 'InsufficientCreditsError', 'QueueFullError', 'ValidationError'],
  CreateScheduleResult: ['CreateSchedulePayload', 'ValidationError'],
  CreateUploadResult: ['CreateUploadPayload', 'LeaseLostError', 'QuotaExceededError', 'ValidationError'],
  CreateWorkspaceResult: ['CreateWorkspacePayload', 'ValidationError'],
  DeleteScheduleResult: ['DeleteSchedulePayload', 'NotFoundError', 'ValidationError'],
  FailJobResult: ['FailJobPayload', 'LeaseLostError', 'ValidationError'],
  GrantCreditsResult: ['GrantCreditsPayload', 'NotFoundError', 'ValidationError'],
  Node: ['ApiKey', 'Artifact', 'AuditEntry', 'BulkAction', 'CreditTransaction', 'Job', 'Schedule', 'Upload', 'WebhookDelivery', 'Worker', 'Workspace'],
  RedeliverWebhookResult: ['NotFoundError', 'RedeliverWebhookPayload'],
  ReleaseJobResult: ['LeaseLostError', 'ReleaseJobPayload', 'ValidationError'],
  ReportProgressResult: ['LeaseLostError', 'ReportProgressPayload', 'ValidationError'],
  RetryJobResult: ['IdempotencyConflictError', 'InsufficientCreditsError', 'NotFoundError', 'NotRetryableError', 'QueueFullError', 'RetryJobPayload', 'ValidationError'],
  RevokeApiKeyResult: ['NotFoundError', 'RevokeApiKeyPayload', 'ValidationError'],
  StartBulkActionResult: ['IdempotencyConflictError', 'StartBulkActionPayload', 'ValidationError'],
  StopBulkActionResult: ['NotFoundError', 'StopBulkActionPayload', 'ValidationError'],
  TriggerScheduleResult: ['InsufficientCreditsError', 'NotFoundError', 'QueueFullError', 'TriggerSchedulePayload', 'ValidationError'],
  UpdateJobTypeResult: ['NotFoundError', 'UpdateJobTypePayload', 'ValidationError'],
  UpdateScheduleResult: ['NotFoundError', 'UpdateSchedulePayload', 'ValidationError'],
  UpdateWorkspaceResult: ['NotFoundError', 'UpdateWorkspacePayload', 'ValidationError'],
  UserError: ['AlreadyFinishedError', 'IdempotencyConflictError', 'InsufficientCreditsError', 'LeaseLostError', 'NotFoundError', 'NotRetryableError', 'QueueFullError', 'QuotaExceededError', 'ValidationError'],
};

/** Its connections, by type and field, with the arguments that say which items there are. */
export const connections: Record<string, Record<string, string[]>> = {
  Job: { logs: ['attempt', 'level'], retries: [], webhookDeliveries: [] },
  Query: { jobs: ['filter', 'order'], workspaces: [] },
  Schedule: { jobs: [] },
  Workspace: { apiKeys: [], auditEntries: ['actions'], bulkActions: [], creditTransactions: [], schedules: [], webhookDeliveries: ['statuses'], workers: ['alive'] },
};
