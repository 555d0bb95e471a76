/*
 * What is asked of the server. Mutations select of a job what every caller may read, so that a key without READ submits, too.
 */
const summary = 'id uuid type status version creditsCharged creditsRefunded';

/** All fields of Job. */
export const jobFields =
  'id uuid type status version progress { step message percentage } output error { code message } tags priority maxAttempts ' +
  'creditsCharged creditsRefunded cancelReason clientReference downloadUrl ' +
  'artifacts { id name filename mediaType bytes sha256 url expiresAt } ' +
  'runAt nextAttemptAt createdAt startedAt finishedAt updatedAt';

const failed = '... on UserError { code message } ... on ValidationError { issues { path message } }';
const tooMuch = '... on InsufficientCreditsError { required available } ... on QueueFullError { limit }';
const conflict = `... on IdempotencyConflictError { job { ${summary} } }`;

export const createJob = `mutation ($input: CreateJobInput!) { createJob(input: $input) {
  ... on CreateJobPayload { job { ${summary} } warnings { code message } } ${failed} ${tooMuch} ${conflict} } }`;

export const createJobs = `mutation ($input: CreateJobsInput!) { createJobs(input: $input) {
  ... on CreateJobsPayload { jobs { ${summary} } warnings { code message } } ${failed} ${tooMuch} ${conflict} } }`;

export const cancelJob = `mutation ($input: CancelJobInput!) { cancelJob(input: $input) {
  ... on CancelJobPayload { job { ${summary} } } ${failed} ... on AlreadyFinishedError { job { ${summary} } } } }`;

export const retryJob = `mutation ($input: RetryJobInput!) { retryJob(input: $input) {
  ... on RetryJobPayload { job { ${summary} } } ${failed} ${tooMuch} ${conflict} ... on NotRetryableError { job { ${summary} } } } }`;

export const createAccessToken = `mutation ($input: CreateAccessTokenInput!) { createAccessToken(input: $input) {
  ... on CreateAccessTokenPayload { token expiresAt } ${failed} } }`;

export const createUpload = `mutation ($input: CreateUploadInput!) { createUpload(input: $input) {
  ... on CreateUploadPayload { uploadUrl upload { id expiresAt } } ${failed} ... on QuotaExceededError { limitBytes } } }`;

export const job = `query ($id: ID!) { job(id: $id) { ${jobFields} } }`;

export const jobs = `query ($filter: JobFilter, $order: JobOrder, $first: Int, $after: String) {
  jobs(filter: $filter, order: $order, first: $first, after: $after) { edges { cursor node { ${jobFields} } } pageInfo { hasNextPage endCursor } } }`;

export const countJobs = 'query ($filter: JobFilter, $upTo: Int) { jobs(filter: $filter, first: 1) { count(upTo: $upTo) { value exact } } }';

export const jobUpdatesCursor = '{ jobUpdatesCursor }';

export const jobProgress = `subscription ($id: ID!, $afterVersion: Int) { jobProgress(id: $id, afterVersion: $afterVersion) { ${jobFields} } }`;

export const jobUpdates = `subscription ($filter: JobUpdatesFilter, $after: String) {
  jobUpdates(filter: $filter, after: $after) { cursor job { ${jobFields} } } }`;

export const jobLogs = `subscription ($id: ID!, $afterSequence: Int, $level: LogLevel) {
  jobLogs(id: $id, afterSequence: $afterSequence, level: $level) { sequence attempt at level message fields } }`;
