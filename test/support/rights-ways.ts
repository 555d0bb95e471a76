import { byNobody } from '../../src/workspaces/audit/record.ts';
import { type Tenant, usualRequest } from './domain.ts';
import type { Longhaul } from './longhaul.ts';
import type { Credential } from './rights-tables.ts';
import { storedFile } from './stored-file.ts';

/** What a credential sees at the end of a way: every field, those without READ, nothing that is there, or FORBIDDEN. */
export type Sight = 'whole' | 'shown' | 'null' | 'refused';

export interface Way {
  /** The type of the object, one of `fields`. */
  type: string;
  /** `SELECTION` stands for the fields. */
  document: string;
  /** Into the data; an array's first item is meant. */
  path: string;
  sees: Partial<Record<Credential, Sight>>;
  /** Makes what the document needs, anew for each request that may change something. */
  variables(scene: Scene, credential: Credential): Promise<Record<string, unknown>>;
}

/** A tenant with a job of each kind, and a key of each kind. */
export interface Scene {
  longhaul: Longhaul;
  tenant: Tenant;
  secrets: Record<Credential, string | null>;
  /** Claimed by the key of the credential if it can. */
  held(credential: Credential): Promise<{ id: string; token: string }>;
}

async function ended({ tenant }: Scene): Promise<Record<string, unknown>> {
  const { id } = await tenant.create({ tags: ['seen'], webhookUrl: 'https://hooks.invalid/secret' });
  await tenant.cancel(id);
  return { id };
}

async function filed({ longhaul, tenant }: Scene): Promise<Record<string, unknown>> {
  const { job, token } = await tenant.running({ tags: ['seen'] });
  const artifact = await storedFile(longhaul, tenant.id);
  await tenant.complete(token, null, [artifact]);
  return { id: job.id, file: `artifact_${artifact.file.id}` };
}

async function lostLease({ held, tenant }: Scene, credential: Credential, next: 'cancelled' | 'another attempt'): Promise<Record<string, unknown>> {
  const { id, token } = await held(credential);
  if (next === 'cancelled') await tenant.cancel(id);
  else {
    await tenant.release(token);
    await tenant.start(await tenant.read(id));
  }
  return { token };
}

const scheduled = 'type: "fingerprint", input: { sourceUrl: "https://example.com/a" }';

/** Makes a schedule of the tenant. */
async function schedule({ longhaul, tenant }: Scene): Promise<string> {
  const asked = { ...usualRequest, name: String(Math.random()), cron: '0 7 * * *' };
  return `schedule_${(await longhaul.services.jobs.schedules.create(tenant.id, asked, byNobody)).id}`;
}

async function startedAction({ longhaul, tenant }: Scene): Promise<Record<string, unknown>> {
  const filter = { types: [] };
  const { id } = await longhaul.services.jobs.bulk.start(tenant.id, { kind: 'DELETE', asked: filter, filter, by: byNobody });
  return { id: `bulk_${id}` };
}

const onlyReaders = { READ: 'whole', token: 'whole', creating: 'whole', foreign: 'null' } as const;
/** @param declares the variables, such as `($id: ID!)` */
const payload = (declares: string, root: string, input: string, member: string) =>
  `mutation ${declares} { ${root}(input: ${input}) { ... on ${member} { job { SELECTION } } } }`;

export const ways: Record<string, Way> = {
  'a job by its id, held by who can hold it': {
    type: 'Job', document: 'query ($id: ID!) { job(id: $id) { SELECTION } }', path: 'job',
    sees: { ...onlyReaders, WORK: 'whole', WORK_ALL: 'whole' },
    variables: ({ held }, credential) => held(credential),
  },
  'a job by its id, held by somebody else': {
    type: 'Job', document: 'query ($id: ID!) { job(id: $id) { SELECTION } }', path: 'job',
    sees: { ...onlyReaders, WORK: 'null', WORK_ALL: 'null' },
    variables: ({ held }) => held('READ'),
  },
  'a job that the key does not hold any more': {
    type: 'Job', document: 'query ($id: ID!) { job(id: $id) { SELECTION } }', path: 'job',
    sees: { ...onlyReaders, WORK: 'null', WORK_ALL: 'null' },
    variables: async ({ held, tenant }, credential) => {
      const { id, token } = await held(credential);
      await tenant.release(token);
      return { id };
    },
  },
  'a job as a node': {
    type: 'Job', document: 'query ($id: ID!) { node(id: $id) { ... on Job { SELECTION } } }', path: 'node',
    sees: onlyReaders,
    variables: async ({ held }, credential) => ({ id: `job_${(await held(credential)).id}` }),
  },
  'a job in a list': {
    type: 'Job', document: 'query ($tags: [String!]) { jobs(filter: { tags: $tags }) { edges { node { SELECTION } } } }', path: 'jobs.edges.node',
    sees: onlyReaders,
    variables: async ({ held }, credential) => {
      await held(credential);
      return { tags: ['seen'] };
    },
  },
  'a job that was created': {
    type: 'Job', document: payload('', 'createJob', '{ type: "fingerprint", input: { sourceUrl: "https://example.com/a" } }', 'CreateJobPayload'), path: 'createJob.job',
    sees: { WRITE: 'shown', creating: 'whole', foreign: 'whole' },
    variables: async () => ({}),
  },
  'jobs that were created': {
    type: 'Job',
    document: 'mutation { createJobs(input: { jobs: [{ type: "fingerprint", input: { sourceUrl: "https://example.com/a" } }] }) { ... on CreateJobsPayload { jobs { SELECTION } } } }',
    path: 'createJobs.jobs',
    sees: { WRITE: 'shown', creating: 'whole', foreign: 'whole' },
    variables: async () => ({}),
  },
  'the job of a conflict': {
    type: 'Job',
    document:
      'mutation ($key: String) { createJob(input: { type: "fingerprint", input: { sourceUrl: "https://example.com/b" }, idempotencyKey: $key }) { ... on IdempotencyConflictError { job { SELECTION } } } }',
    path: 'createJob.job',
    sees: { WRITE: 'shown', creating: 'null', foreign: 'null' },
    variables: async ({ tenant }) => {
      const key = String(Math.random());
      await tenant.create({ idempotencyKey: key });
      return { key };
    },
  },
  'a job that was cancelled': {
    type: 'Job', document: payload('($id: ID!)', 'cancelJob', '{ id: $id }', 'CancelJobPayload'), path: 'cancelJob.job',
    sees: { WRITE: 'shown', creating: 'whole', foreign: 'null' },
    variables: async ({ tenant }) => ({ id: (await tenant.create({ tags: ['seen'] })).id }),
  },
  'a job that had ended before': {
    type: 'Job', document: payload('($id: ID!)', 'cancelJob', '{ id: $id }', 'AlreadyFinishedError'), path: 'cancelJob.job',
    sees: { WRITE: 'shown', creating: 'whole', foreign: 'null' },
    variables: ended,
  },
  'a job that retries another': {
    type: 'Job', document: payload('($id: ID!)', 'retryJob', '{ id: $id }', 'RetryJobPayload'), path: 'retryJob.job',
    sees: { WRITE: 'shown', creating: 'whole', foreign: 'null' },
    variables: ended,
  },
  'a job that cannot be retried': {
    type: 'Job', document: payload('($id: ID!)', 'retryJob', '{ id: $id }', 'NotRetryableError'), path: 'retryJob.job',
    sees: { WRITE: 'shown', creating: 'whole', foreign: 'null' },
    variables: async ({ tenant }) => ({ id: (await tenant.create({ tags: ['seen'] })).id }),
  },
  'the job of a lease': {
    type: 'Job',
    document:
      'mutation ($id: ID!) { claimJobs(input: { types: ["fingerprint"], jobIds: [$id], workerId: "w" }) { ... on ClaimJobsPayload { leases { job { SELECTION } } } } }',
    path: 'claimJobs.leases.job',
    sees: { WORK: 'whole', WORK_ALL: 'whole', foreign: 'null' },
    variables: async ({ tenant }) => ({ id: (await tenant.create()).id }),
  },
  'the job that the job of a lease retries': {
    type: 'Job',
    document:
      'mutation ($id: ID!) { claimJobs(input: { types: ["fingerprint"], jobIds: [$id], workerId: "w" }) { ... on ClaimJobsPayload { leases { job { retryOf { SELECTION } } } } } }',
    path: 'claimJobs.leases.job.retryOf',
    sees: { WORK: 'shown', WORK_ALL: 'null', foreign: 'null' },
    variables: async ({ tenant, longhaul }) => {
      const { id } = await tenant.create();
      await tenant.cancel(id);
      return { id: (await longhaul.services.jobs.retry(tenant.id, id, null)).id };
    },
  },
  'a job that retries another, from that one': {
    type: 'Job', document: 'query ($id: ID!) { job(id: $id) { retries { edges { node { SELECTION } } } } }', path: 'job.retries.edges.node',
    sees: { READ: 'whole', token: 'whole', creating: 'whole', WORK: 'null', WORK_ALL: 'null', foreign: 'null' },
    variables: async ({ tenant, longhaul }) => {
      const { id } = await tenant.create({ tags: ['seen'] });
      await tenant.cancel(id);
      await longhaul.services.jobs.retry(tenant.id, id, null);
      return { id };
    },
  },
  "a delivery of the workspace's": {
    type: 'WebhookDelivery', document: '{ workspace { webhookDeliveries(first: 1) { edges { node { SELECTION } } } } }', path: 'workspace.webhookDeliveries.edges.node',
    sees: { READ: 'whole', foreign: 'null' },
    variables: (at) => ended(at),
  },
  ...Object.fromEntries(
    [
      ['completeJob', '{ token: $token }'],
      ['failJob', '{ token: $token, code: "X", message: "x" }'],
      ['releaseJob', '{ token: $token }'],
    ].flatMap(([root = '', input = '']): [string, Way][] => {
      const member = `${root.charAt(0).toUpperCase()}${root.slice(1)}Payload`;
      const document = (name: string) => payload('($token: String!)', root, input, name);
      const base = { type: 'Job', path: `${root}.job` } as const;
      return [
        [`the job of ${root}`, { ...base, document: document(member), sees: { WORK: 'shown', WORK_ALL: 'shown', foreign: 'null' }, variables: ({ held }, credential) => held(credential) }],
        [`the job of ${root} with a lease that is lost`, { ...base, document: document('LeaseLostError'), sees: { WORK: 'shown', WORK_ALL: 'shown', foreign: 'null' }, variables: (at, credential) => lostLease(at, credential, 'cancelled') }],
        [`the job of ${root} after another attempt has begun`, { ...base, document: document('LeaseLostError'), sees: { WORK: 'null', WORK_ALL: 'null', foreign: 'null' }, variables: (at, credential) => lostLease(at, credential, 'another attempt') }],
      ];
    }),
  ),
  'the jobs of completeJobs': {
    type: 'Job',
    document:
      'mutation ($token: String!) { completeJobs(input: { completions: [{ token: $token }] }) { ... on CompleteJobsPayload { results { ... on CompleteJobPayload { job { SELECTION } } } } } }',
    path: 'completeJobs.results.job',
    sees: { WORK: 'shown', WORK_ALL: 'shown', foreign: 'null' },
    variables: ({ held }, credential) => held(credential),
  },
  'a job of completeJobs with a lease that is lost': {
    type: 'Job',
    document:
      'mutation ($token: String!) { completeJobs(input: { completions: [{ token: $token }] }) { ... on CompleteJobsPayload { results { ... on LeaseLostError { job { SELECTION } } } } } }',
    path: 'completeJobs.results.job',
    sees: { WORK: 'shown', WORK_ALL: 'shown', foreign: 'null' },
    variables: (at, credential) => lostLease(at, credential, 'cancelled'),
  },
  "a job of the workspace's own ledger": {
    type: 'Job', document: '{ workspace { creditTransactions(first: 1) { edges { node { job { SELECTION } } } } } }', path: 'workspace.creditTransactions.edges.node.job',
    sees: { READ: 'whole', foreign: 'whole' },
    variables: async ({ tenant, longhaul, secrets }) => {
      const create = 'mutation { createJob(input: { type: "fingerprint", input: { sourceUrl: "https://example.com/c" } }) { __typename } }';
      await longhaul.graphql(create, {}, secrets.foreign);
      await tenant.create();
      return {};
    },
  },
  "a job of any workspace's ledger": {
    type: 'Job', document: '{ workspaces(last: 100) { edges { node { creditTransactions(first: 1) { edges { node { job { SELECTION } } } } } } } }', path: 'workspaces.edges.node.creditTransactions.edges.node.job',
    sees: {},
    variables: async ({ tenant }) => ({ id: (await tenant.create()).id }),
  },
  'a job that is watched, held by who can hold it': {
    type: 'Job', document: 'subscription ($id: ID!) { jobProgress(id: $id) { SELECTION } }', path: 'jobProgress',
    sees: { READ: 'whole', token: 'whole', creating: 'whole', WORK: 'whole', WORK_ALL: 'whole', foreign: 'null' },
    variables: ({ held }, credential) => held(credential),
  },
  'a job that is watched, held by somebody else': {
    type: 'Job', document: 'subscription ($id: ID!) { jobProgress(id: $id) { SELECTION } }', path: 'jobProgress',
    sees: { READ: 'whole', token: 'whole', creating: 'whole', WORK: 'null', WORK_ALL: 'null', foreign: 'null' },
    variables: ({ held }) => held('READ'),
  },
  'a bulk action that was started': {
    type: 'BulkAction',
    document: 'mutation { startBulkAction(input: { kind: DELETE, filter: { types: [] } }) { ... on StartBulkActionPayload { bulkAction { SELECTION } } } }',
    path: 'startBulkAction.bulkAction',
    sees: { WRITE: 'shown', foreign: 'whole' },
    variables: async () => ({}),
  },
  'a bulk action as a node': {
    type: 'BulkAction',
    document: 'query ($id: ID!) { node(id: $id) { ... on BulkAction { SELECTION } } }',
    path: 'node',
    sees: { READ: 'whole', token: 'null', creating: 'null', foreign: 'null' },
    variables: startedAction,
  },
  'a bulk action that is watched': {
    type: 'BulkAction',
    document: 'subscription ($id: ID!) { bulkActionProgress(id: $id) { SELECTION } }',
    path: 'bulkActionProgress',
    sees: { READ: 'whole', foreign: 'null' },
    variables: startedAction,
  },
  'an upload that was created': {
    type: 'Upload',
    document: 'mutation { createUpload(input: { filename: "a.mp4" }) { ... on CreateUploadPayload { upload { SELECTION } } } }',
    path: 'createUpload.upload',
    sees: { WRITE: 'shown', creating: 'whole', foreign: 'whole' },
    variables: async () => ({}),
  },
  "an upload of a key's, as a node": {
    type: 'Upload',
    document: 'query ($id: ID!) { node(id: $id) { ... on Upload { SELECTION } } }',
    path: 'node',
    sees: { READ: 'whole', token: 'null', creating: 'null', foreign: 'null' },
    variables: async ({ longhaul, tenant }) => {
      const origin = { workspaceId: tenant.id, uploader: null, attempt: null };
      return { id: `upload_${(await longhaul.services.uploads.create(origin, { filename: 'a.mp4' })).id}` };
    },
  },
  'a schedule that was created': {
    type: 'Schedule',
    document: `mutation ($name: String!) { createSchedule(input: { name: $name, cron: "0 7 * * *", ${scheduled} }) { ... on CreateSchedulePayload { schedule { SELECTION } } } }`,
    path: 'createSchedule.schedule',
    sees: { WRITE: 'shown', foreign: 'whole' },
    variables: async () => ({ name: String(Math.random()) }),
  },
  'a schedule that was changed': {
    type: 'Schedule', document: 'mutation ($id: ID!) { updateSchedule(input: { id: $id, paused: true }) { ... on UpdateSchedulePayload { schedule { SELECTION } } } }', path: 'updateSchedule.schedule',
    sees: { WRITE: 'shown', foreign: 'null' },
    variables: async (at) => ({ id: await schedule(at) }),
  },
  'a schedule as a node': {
    type: 'Schedule', document: 'query ($id: ID!) { node(id: $id) { ... on Schedule { SELECTION } } }', path: 'node',
    sees: { READ: 'whole', token: 'null', creating: 'null', foreign: 'null' },
    variables: async (at) => ({ id: await schedule(at) }),
  },
  'a job that a schedule was told to create': {
    type: 'Job', document: payload('($id: ID!)', 'triggerSchedule', '{ id: $id }', 'TriggerSchedulePayload'), path: 'triggerSchedule.job',
    sees: { WRITE: 'shown', foreign: 'null' },
    variables: async (at) => ({ id: await schedule(at) }),
  },
  "a file of a job's": {
    type: 'Artifact', document: 'query ($id: ID!) { job(id: $id) { artifacts { SELECTION } } }', path: 'job.artifacts',
    sees: { ...onlyReaders, WORK: 'null', WORK_ALL: 'null' },
    variables: filed,
  },
  'a file as a node': {
    type: 'Artifact', document: 'query ($file: ID!) { node(id: $file) { ... on Artifact { SELECTION } } }', path: 'node',
    sees: onlyReaders,
    variables: filed,
  },
  "a delivery of a job's": {
    type: 'WebhookDelivery', document: 'query ($id: ID!) { job(id: $id) { webhookDeliveries(first: 1) { edges { node { SELECTION } } } } }', path: 'job.webhookDeliveries.edges.node',
    sees: { READ: 'whole', WORK: 'null', WORK_ALL: 'null', foreign: 'null' },
    variables: ended,
  },
  'a delivery that is sent again': {
    type: 'WebhookDelivery', document: 'mutation ($id: ID!) { redeliverWebhook(input: { id: $id }) { ... on RedeliverWebhookPayload { delivery { SELECTION } } } }', path: 'redeliverWebhook.delivery',
    sees: { WRITE: 'shown', foreign: 'null' },
    variables: async (at) => {
      const { id } = await ended(at);
      const query = 'query ($id: ID!) { job(id: $id) { webhookDeliveries(first: 1) { edges { node { id } } } } }';
      const { data } = await at.longhaul.graphql(query, { id }, at.secrets.READ);
      return { id: /delivery_[\w-]+/.exec(JSON.stringify(data))?.[0] };
    },
  },
};
