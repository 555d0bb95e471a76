import { randomUUID } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { JobOrigin } from '../../src/jobs/create/job-request.ts';
import { readJobTypes } from '../../src/jobs/types/file.ts';
import type { JobType } from '../../src/jobs/types/job-type.ts';
import type { JsonObject } from '../../src/json.ts';
import { vidocuId } from '../../src/rest/vidocu/vidocu-id.ts';
import { createLog } from '../../src/server/json-log.ts';
import { Tenant } from '../support/domain.ts';
import { eventually } from '../support/eventually.ts';
import { type Longhaul, startLonghaul } from '../support/longhaul.ts';
import { RawEvents } from '../support/raw-events.ts';
import { RawSocket } from '../support/raw-socket.ts';
import { startReader } from '../support/readme.ts';
import { startReceiver } from '../support/receiver.ts';

/** Nothing but a worker may ever be sent this. */
const secret = `hunter2-${randomUUID()}`;

const marked = { type: 'string', 'x-secret': true };
const vault = {
  name: 'vault',
  credits: 1,
  inputSchema: {
    type: 'object',
    properties: {
      sourceUrl: marked,
      videoId: marked,
      language: marked,
      login: { type: 'object', 'x-secret': true },
      targets: { type: 'array', items: { $ref: '#/$defs/target' } },
    },
    $defs: { target: { type: 'object', properties: { host: { type: 'string' }, key: marked } } },
  },
};
const download = { name: 'download', credits: 1, inputSchema: { type: 'object', required: ['sourceUrl'], properties: { sourceUrl: { ...marked, 'x-source': true } } } };

const given = {
  sourceUrl: `https://example.com/${secret}`,
  videoId: secret,
  language: secret,
  login: { [secret]: secret },
  targets: [{ host: 'a', key: secret }, { host: 'b' }],
  open: 'o',
};
const shown = { sourceUrl: '•••', videoId: '•••', language: '•••', login: '•••', targets: [{ host: 'a', key: '•••' }, { host: 'b' }], open: 'o' };

const HANDLERS = fileURLToPath(new URL('../support/fixtures/telltale.ts', import.meta.url));

let folder: string;
let longhaul: Longhaul;
/** What the server has logged and answered, byte by byte. */
const heard: string[] = [];
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'longhaul-hidden-'));
  const JOB_TYPES = join(folder, 'types.json');
  const page = await readFile(new URL('../../README.md', import.meta.url), 'utf8');
  const ofReadme = [...page.matchAll(/^cat > types\.json <<'END'\n(.*?)^END$/gms)].map(([, types = '']) => types).find((types) => types.includes('x-secret')) ?? '';
  await writeFile(JOB_TYPES, JSON.stringify([vault, download, ...JSON.parse(ofReadme)]));
  const log = createLog('debug', { write: (line) => void heard.push(line) });
  longhaul = await startLonghaul({ ROLE: 'all', JOB_TYPES, HANDLERS, OUTBOUND_ALLOW: '127.0.0.1' }, { log });
});
afterAll(async () => {
  await longhaul.stop();
  await rm(folder, { recursive: true });
  expect(heard.filter((text) => text.includes(secret))).toEqual([]);
});

interface Reply {
  data: JsonObject | null;
  errors: { extensions: JsonObject }[];
  text: string;
}

async function said(path: string, key: string, body?: object): Promise<string> {
  const credential = path.startsWith('/revid') ? { 'x-api-key': key } : { authorization: `Bearer ${key}` };
  const headers = { ...credential, 'content-type': 'application/json' };
  const response = await fetch(longhaul.url + path, body === undefined ? { headers } : { method: 'POST', headers, body: JSON.stringify(body) });
  return response.text();
}

/** Asks, and keeps what was answered. */
async function ask(query: string, variables: object, key: string): Promise<Reply> {
  const text = await said('/graphql', key, { query, variables });
  heard.push(text);
  const { data = null, errors = [] }: Partial<Reply> = JSON.parse(text);
  return { data, errors, text };
}

const issues = '... on ValidationError { issues { path message } }';
const refusals: Readonly<Record<string, string>> = {
  createJob: `${issues} ... on IdempotencyConflictError { job { input } }`,
  cancelJob: '',
  retryJob: `${issues} ... on NotRetryableError { job { input } }`,
};

/** The member of a mutation's result. */
async function mutate(name: string, input: object, selection: string, key: string): Promise<JsonObject> {
  const type = `${name.charAt(0).toUpperCase()}${name.slice(1)}`;
  const { data, text } = await ask(`mutation ($i: ${type}Input!) { ${name}(input: $i) { __typename ${refusals[name] ?? issues} ... on ${type}Payload { ${selection} } } }`, { i: input }, key);
  const result = data?.[name];
  if (typeof result !== 'object' || result === null || Array.isArray(result)) throw new Error(text);
  return result;
}

const jobFields = 'job { id status input retryOf { input } schedule { input } }';

/** Finds a text in what was answered. */
function idIn(value: unknown, prefix: string): string {
  const [id] = new RegExp(`${prefix}_[\\w-]+`).exec(JSON.stringify(value)) ?? [];
  if (id === undefined) throw new Error(`there is no ${prefix} in ${JSON.stringify(value)}`);
  return id;
}

async function claimed(id: string, key: string): Promise<{ token: string; input: unknown }> {
  // Not kept: it is the worker's.
  const query = `mutation ($i: ClaimJobsInput!) { claimJobs(input: $i) { ... on ClaimJobsPayload { leases { token job { input } } } } }`;
  const text = await said('/graphql', key, { query, variables: { i: { types: ['vault'], jobIds: [id], workerId: 'w' } } });
  const { data }: { data: { claimJobs: { leases: { token: string; job: { input: unknown } }[] } } } = JSON.parse(text);
  const [lease] = data.claimJobs.leases;
  if (lease === undefined) throw new Error(text);
  return { token: lease.token, input: lease.job.input };
}

test('a secret is in what its worker claims, and on no other surface', async () => {
  const workspace = await longhaul.workspace();
  const [key, worker] = [await workspace.key(), await workspace.key({ scopes: ['WORK'] })];
  const receiver = await startReceiver();
  const asked = { type: 'vault', input: given, webhookUrl: receiver.url, tags: ['t'], idempotencyKey: 'k' };
  const watching = await RawEvents.open(longhaul.url, key, { query: 'subscription { jobUpdates { job { status input } } }' });
  const made = await mutate('createJob', asked, jobFields, key);
  expect(made['job']).toMatchObject({ input: shown });
  const id = idIn(made, 'job');
  const socket = await RawSocket.open(longhaul.url, key);
  socket.subscribe('1', { query: 'subscription ($id: ID!) { jobProgress(id: $id) { status input } }', variables: { id } });
  await socket.until(() => socket.payloads('1').length > 0);

  expect(await mutate('createJob', { ...asked, priority: 1 }, jobFields, key)).toEqual({ __typename: 'IdempotencyConflictError', job: { input: shown } });
  expect(await mutate('createJobs', { jobs: [{ type: 'vault', input: given }] }, 'jobs { input }', key)).toMatchObject({ jobs: [{ input: shown }] });
  expect(await mutate('retryJob', { id }, jobFields, key)).toMatchObject({ __typename: 'NotRetryableError', job: { input: shown } });

  // Its worker, and nobody else.
  const { token, input } = await claimed(id, worker);
  expect(input).toEqual(given);
  expect((await ask('query ($id: ID!) { job(id: $id) { input } }', { id }, worker)).data).toEqual({ job: { input: shown } });
  const ended = await ask('mutation ($i: CompleteJobInput!) { completeJob(input: $i) { ... on CompleteJobPayload { job { status input } } } }', { i: { token } }, key);
  expect(ended.data).toEqual({ completeJob: { job: { status: 'COMPLETED', input: shown } } });

  const other = idIn(await mutate('createJob', { type: 'vault', input: given }, jobFields, key), 'job');
  expect(await mutate('cancelJob', { id: other }, jobFields, key)).toMatchObject({ job: { input: shown } });
  const retried = await mutate('retryJob', { id: other }, jobFields, key);
  expect(retried['job']).toMatchObject({ input: shown, retryOf: { input: shown } });
  expect((await claimed(idIn(retried, 'job'), worker)).input).toEqual(given);

  const schedule = await mutate('createSchedule', { name: 's', cron: '0 7 * * *', type: 'vault', input: given }, 'schedule { id input }', key);
  expect(schedule['schedule']).toMatchObject({ input: shown });
  const scheduleId = idIn(schedule, 'schedule');
  expect((await mutate('updateSchedule', { id: scheduleId, tags: ['t'] }, 'schedule { input }', key))['schedule']).toEqual({ input: shown });
  const triggered = await mutate('triggerSchedule', { id: scheduleId }, jobFields, key);
  expect(triggered['job']).toMatchObject({ input: shown, schedule: { input: shown } });
  expect((await claimed(idIn(triggered, 'job'), worker)).input).toEqual(given);

  const reader = await mutate('createAccessToken', { tag: 't' }, 'token', key);
  const lists = `{ jobs { edges { node { input retries { edges { node { input } } } } } } }`;
  expect((await ask(lists, {}, key)).text).toContain('•••');
  expect((await ask(lists, {}, String(reader['token']))).text).toContain('•••');
  const nodes = await ask(
    '{ workspace { schedules { edges { node { input jobs { edges { node { input } } } } } } bulkActions { edges { node { filter refusals { code } } } } webhookDeliveries { edges { node { url lastError } } } creditTransactions { edges { node { job { input } } } } } }',
    {}, key,
  );
  expect(nodes.errors).toEqual([]);
  await ask('query ($ids: [ID!]!) { nodes(ids: $ids) { ... on Job { input } ... on Schedule { input } } }', { ids: [id, scheduleId] }, key);
  await mutate('startBulkAction', { kind: 'RETRY', filter: { types: ['vault'] } }, 'bulkAction { id filter total { value } }', key);

  // What is refused, and where that is written down.
  const bad = { ...given, sourceUrl: [secret], login: secret };
  const refused = await mutate('createJob', { type: 'vault', input: bad }, jobFields, key);
  expect(refused).toMatchObject({ issues: [{ path: ['input', 'sourceUrl'] }, { path: ['input', 'login'] }] });
  await mutate('updateSchedule', { id: scheduleId, input: bad }, 'schedule { input }', key);

  // Whoever watched.
  await watching.until(() => watching.text.includes('COMPLETED') && watching.text.includes('CANCELLED'));
  await socket.end('1');
  heard.push(watching.text, ...socket.texts);
  expect(socket.texts.join()).toContain('•••');
  await eventually(() => expect(receiver.received).toHaveLength(1));
  expect(JSON.parse(receiver.received[0]?.body ?? '')).toMatchObject({ data: { input: shown } });

  await longhaul.services.audit.loop.settle();
  const audit = 'query ($id: ID!) { node(id: $id) { ... on Workspace { auditEntries(first: 100) { edges { node { action details } } } } } }';
  expect((await ask(audit, { id: `ws_${workspace.id}` }, longhaul.adminKey)).text).toContain('schedule.trigger');
  heard.push(...receiver.received.map(({ body, headers }) => body + JSON.stringify(headers)));
  expect(heard.filter((text) => text.includes(secret))).toEqual([]);
});

test('no dialect shows it, in answers, lists and webhooks', async () => {
  const workspace = await longhaul.workspace();
  const key = await workspace.key();
  const tenant = Tenant.of(longhaul, workspace.id);
  const receiver = await startReceiver();
  const dialects = ['VIDOCU', 'VIDEOCONDUIT', 'VYDRA', 'REVID'] as const satisfies JobOrigin['dialect'][];
  for (const dialect of dialects) {
    const job = await longhaul.services.jobs.create(workspace.id, { type: 'vault', input: given, webhookUrl: receiver.url }, { dialect });
    const { token } = await tenant.start(job);
    for (const path of [`/vidocu/v1/jobs/${vidocuId(job)}`, `/videoconduit/v1/jobs/${job.id}`, `/vydra/api/v1/jobs/${job.id}`]) heard.push(await said(path, key));
    const conduit: unknown = JSON.parse(await said(`/videoconduit/v1/jobs/${job.id}`, key));
    expect(conduit).toMatchObject({ source_url: '•••', parameters: shown });
    heard.push(await said('/revid/paid/get/job/status', key, { job_id: job.id }));
    await tenant.complete(token, { done: true });
  }
  const lists = [await said('/videoconduit/v1/jobs', key), await said('/vydra/api/v1/jobs', key)];
  expect(lists[0]).toContain('•••');
  const submitted = await said('/videoconduit/v1/download', key, { url: `https://example.com/${secret}` });
  const refused = await said('/vydra/api/v1/jobs', key, { workflow: 'vault', input: { login: secret } });
  expect(refused).toContain('login');
  await eventually(() => expect(receiver.received.length).toBeGreaterThanOrEqual(dialects.length));
  const bodies = receiver.received.map(({ body }) => body);
  expect(bodies.join()).toContain('•••');
  heard.push(...lists, submitted, refused, ...bodies);
  expect(heard.filter((text) => text.includes(secret))).toEqual([]);
});

test('revealInput shows it to a key with READ, and the audit says to whom', async () => {
  const workspace = await longhaul.workspace();
  const [reader, writer, foreign] = [await workspace.key({ scopes: ['READ'] }), await workspace.key({ scopes: ['WRITE'] }), await (await longhaul.workspace()).key()];
  const tenant = Tenant.of(longhaul, workspace.id);
  const job = await tenant.create({ type: 'vault', input: given, tags: ['t'] });
  const id = `job_${job.id}`;
  const reveal = (key: string) => longhaul.graphql('query ($id: ID!) { revealInput(jobId: $id) }', { id }, key);
  expect((await reveal(reader)).data).toEqual({ revealInput: given });
  expect((await reveal(foreign)).data).toEqual({ revealInput: null });
  const token = await longhaul.graphql('mutation { createAccessToken(input: { tag: "t" }) { ... on CreateAccessTokenPayload { token } } }', {}, reader);
  const [, opened = ''] = /"token":"([^"]+)"/.exec(JSON.stringify(token.data)) ?? [];
  for (const key of [writer, opened]) expect((await reveal(key)).errors).toMatchObject([{ extensions: { code: 'FORBIDDEN' } }]);

  await longhaul.services.audit.loop.settle();
  const query = 'query ($id: ID!) { node(id: $id) { ... on Workspace { auditEntries(first: 10, actions: ["job.reveal"]) { edges { node { actor target outcome ipAddress details } } } } } }';
  const { data } = await longhaul.graphql(query, { id: `ws_${workspace.id}` });
  const actor = expect.stringMatching(/^test \(lh_/);
  expect(data).toEqual({ node: { auditEntries: { edges: expect.arrayContaining([
    { node: { actor, target: id, outcome: 'ok', ipAddress: '127.0.0.1', details: { type: 'vault' } } },
    { node: expect.objectContaining({ actor, target: null, outcome: 'FORBIDDEN' }) },
  ]) } } });
  expect(JSON.stringify(data).match(/"outcome":"ok"/g)).toHaveLength(1);
});

test("the README's password is hidden, and revealed", async () => {
  const workspace = await longhaul.workspace();
  const key = await workspace.key();
  const { paste } = startReader(longhaul.url);
  await paste('URL=', { KEY: () => key, ID: (answer) => idIn(answer, 'job') });
  const [made = '', revealed = ''] = await paste('PUBLISHED=', { PUBLISHED: (answer) => idIn(answer, 'job') });
  expect(made).toContain('"password":"•••"');
  expect(JSON.parse(revealed)).toEqual({ data: { revealInput: { video: 'https://example.com/a.mp4', login: { user: 'ann', password: 'of ann' } } } });
});

test('what is shown cannot be sent back in its place', async () => {
  const workspace = await longhaul.workspace();
  const key = await workspace.key();
  const tenant = Tenant.of(longhaul, workspace.id);
  const paths = [['sourceUrl'], ['videoId'], ['language'], ['login'], ['targets', '0', 'key']];
  const refused = (place: readonly string[]) => ({
    issues: expect.arrayContaining(paths.map((path) => ({ path: [...place, 'input', ...path], message: expect.stringContaining('Send the secret itself, or leave the field out') }))),
  });
  expect(await mutate('createJob', { type: 'vault', input: shown }, jobFields, key)).toMatchObject(refused([]));
  expect(await mutate('createJobs', { jobs: [{ type: 'vault', input: given }, { type: 'vault', input: shown }] }, 'jobs { id }', key)).toMatchObject(refused(['jobs', '1']));
  const asked = { name: 's', cron: '0 7 * * *', type: 'vault' };
  expect(await mutate('createSchedule', { ...asked, input: shown }, 'schedule { id }', key)).toMatchObject(refused([]));
  const id = idIn(await mutate('createSchedule', { ...asked, input: given }, 'schedule { id }', key), 'schedule');
  expect(await mutate('updateSchedule', { id, input: shown }, 'schedule { id }', key)).toMatchObject(refused([]));
  expect(await said('/vydra/api/v1/jobs', key, { workflow: 'vault', input: { login: '•••' } })).toContain('Send the secret itself');
  // It is kept where the input is left out.
  await mutate('updateSchedule', { id, priority: 3 }, 'schedule { id }', key);
  const job = idIn(await mutate('triggerSchedule', { id }, 'job { id }', key), 'job');
  expect((await tenant.read(job.slice('job_'.length))).input).toEqual(given);
});

test('what handlers in the server write down has none of it, and they get it', async () => {
  const source = await startReceiver((response) => void response.end('the file'));
  const workspace = await longhaul.workspace();
  const key = await workspace.key();
  const fields = 'query ($id: ID!) { job(id: $id) { status input output error { code message } progress { step message } attempts { error { message } } logs { edges { node { message fields } } } } }';
  const run = async (type: string, input: object) => {
    const id = idIn(await mutate('createJob', { type, input, maxAttempts: 1 }, jobFields, key), 'job');
    await expect.poll(async () => (await ask(fields, { id }, key)).text, { timeout: 20_000 }).toMatch(/"status":"(COMPLETED|FAILED)"/);
    return (await ask(fields, { id }, key)).data?.['job'];
  };
  expect(await run('own/telltale', { token: secret })).toMatchObject({
    status: 'COMPLETED',
    input: { token: '•••' },
    output: { signedInWith: '•••' },
    progress: { step: '•••', message: 'signing in with •••' },
    logs: { edges: [{ node: { message: 'signed in with •••', fields: { token: '•••', nested: ['•••'] } } }] },
  });
  expect(await run('own/telltale', { token: secret, throws: true })).toMatchObject({ status: 'FAILED', error: { message: 'could not sign in with •••' } });
  expect(await mutate('createJob', { type: 'own/telltale', input: { token: `not ${secret}` } }, jobFields, key)).toMatchObject({ __typename: 'ValidationError' });
  expect(await run('download', { sourceUrl: `${source.url}&sig=${secret}` })).toMatchObject({ status: 'COMPLETED', output: { sourceUrl: '•••' } });
  expect(heard.filter((text) => text.includes(secret))).toEqual([]);
});

test('a fault of the database tells the log nothing of it', async () => {
  const workspace = await longhaul.workspace();
  const key = await workspace.key();
  const { hot } = longhaul.services.database;
  await hot.query(`CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no' USING DETAIL = NEW.input::text; END $$`);
  for (const table of ['job', 'schedule']) await hot.query(`CREATE TRIGGER refuse BEFORE INSERT ON ${table} FOR EACH ROW WHEN (NEW.tags = '{fault}') EXECUTE FUNCTION refuse()`);
  const asked = { type: 'vault', input: given, tags: ['fault'] };
  const mutations = [
    ['mutation ($i: CreateJobInput!) { createJob(input: $i) { __typename } }', asked],
    ['mutation ($i: CreateScheduleInput!) { createSchedule(input: $i) { __typename } }', { ...asked, name: 'f', cron: '0 7 * * *' }],
  ] as const;
  for (const [mutation, input] of mutations) {
    expect((await ask(mutation, { i: input }, key)).errors).toMatchObject([{ extensions: { code: 'INTERNAL' } }]);
  }
  expect(heard.filter((text) => text.includes('internal error'))).toHaveLength(2);
  expect(heard.filter((text) => text.includes(secret))).toEqual([]);
});

test('all of it is hidden where its type is gone, and more where its type marks more since, also from polls that know it', async () => {
  const workspace = await longhaul.workspace();
  const key = await workspace.key();
  const { types } = longhaul.services.jobs;
  const before: readonly JobType[] = types.all();
  const job = await Tenant.of(longhaul, workspace.id).create({ type: 'comments', input: { sourceUrl: 'https://example.com/a', note: 'n' } });
  const poll = () => fetch(`${longhaul.url}/videoconduit/v1/jobs/${job.id}`, { headers: { authorization: `Bearer ${key}` } });
  const input = async () => (await ask('query ($id: ID!) { job(id: $id) { input } }', { id: `job_${job.id}` }, key)).data;
  const known = await poll();
  expect(await known.text()).toContain('"note":"n"');
  try {
    const path = join(folder, 'more.json');
    await writeFile(path, JSON.stringify([{ name: 'comments', credits: 1, inputSchema: { type: 'object', properties: { note: marked } } }]));
    types.replace([...before, ...(await readJobTypes(path))]);
    expect(await input()).toEqual({ job: { input: { sourceUrl: 'https://example.com/a', note: '•••' } } });
    const since = await poll();
    expect(await since.text()).toContain('"note":"•••"');
    expect(since.headers.get('etag')).not.toBe(known.headers.get('etag'));
    types.replace(before.filter(({ name }) => name !== 'comments'));
    expect(await input()).toEqual({ job: { input: { '•••': '•••' } } });
    expect(await (await poll()).text()).not.toContain('example.com');
  } finally {
    types.replace(before);
  }
});
