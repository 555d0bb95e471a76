import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { auditActions } from '../../src/workspaces/audit/record.ts';
import { settleWorkers, Tenant } from '../support/domain.ts';
import { eventually } from '../support/eventually.ts';
import { type Longhaul, sharedLonghaul } from '../support/longhaul.ts';
import { openPage, type Reader, startReader } from '../support/readme.ts';

let longhaul: Longhaul;
beforeAll(async () => {
  longhaul = await sharedLonghaul();
});
afterAll(() => longhaul.stop());

const cancelling = "ask 'mutation ($input: CancelJobInput!)";
const tokens = "ask 'mutation ($input: CreateAccessTokenInput!)";

/** What the reader sees under this name in an answer. */
function valueIn(answer: string, name: string): string {
  const value = new RegExp(`"${name}":"([^"]+)"`).exec(answer)?.[1];
  if (value === undefined) throw new Error(`There is no ${name} in ${answer}`);
  return value;
}

/** A reader with a key, who has pasted the first example. */
async function start(key: string): Promise<Reader & { jobId: string }> {
  const reader = startReader(longhaul.url);
  let jobId = '';
  await reader.paste('URL=', { KEY: () => key, ID: (answer) => (jobId = valueIn(answer, 'id')) });
  return { ...reader, jobId };
}

test("the README's key works until it is revoked", async () => {
  const reader = await start(longhaul.adminKey);
  let secret = '';
  const status = async () => (await longhaul.graphql('{ workspace { id } }', {}, secret)).status;
  const [, , revoked = ''] = await reader.paste("ask '{ workspace { id } }'", {
    WORKSPACE: (answer) => valueIn(answer, 'id'),
    KEY_ID: async (answer) => {
      secret = valueIn(answer, 'secret');
      expect(await status()).toBe(200);
      return valueIn(answer, 'id');
    },
  });
  expect(JSON.parse(revoked)).toEqual({ data: { revokeApiKey: { apiKey: { revokedAt: expect.any(String) } } } });
  expect(await status()).toBe(401);
  await reader.paste(cancelling);
});

test("the README's question who asks is answered", async () => {
  const workspace = await longhaul.workspace();
  const { paste } = await start(await workspace.key());
  const [answer = ''] = await paste("ask '{ viewer");
  expect(JSON.parse(answer)).toMatchObject({
    data: { viewer: { workspace: { id: `ws_${workspace.id}` }, scopes: ['READ', 'WRITE', 'WORK'], rateLimit: { limit: 6_000 } } },
  });
});

test("the README's list narrows by its filter, and goes on where the page before ended", async () => {
  const workspace = await longhaul.workspace();
  const { paste, jobId } = await start(await workspace.key());
  const tenant = Tenant.of(longhaul, workspace.id);
  const [left, ended, second] = await tenant.createAll([{ type: 'fingerprint' }, { type: 'comments' }, { type: 'comments' }, { type: 'comments' }]);
  if (left === undefined || ended === undefined || second === undefined) throw new Error('no jobs');
  await tenant.cancel(ended.id);
  const pages = await paste('LIST=', { CURSOR: (answer) => valueIn(answer, 'endCursor') });
  const lists = pages.map((page) => JSON.parse(page).data.jobs);
  expect(lists).toMatchObject([
    { edges: [{}, { node: { id: `job_${second.id}` } }], pageInfo: { hasNextPage: true } },
    { edges: [{ node: { id: jobId, status: 'PENDING' } }], pageInfo: { hasNextPage: false } },
  ]);
});

test("the README's filter finds what a worker failed with", async () => {
  const workspace = await longhaul.workspace();
  const { paste } = await start(await workspace.key());
  const tenant = Tenant.of(longhaul, workspace.id);
  const ids = [];
  for (const [workerId, code] of [['gpu-1', 'OUT_OF_MEMORY'], ['gpu-1', 'OTHER'], ['gpu-2', 'OUT_OF_MEMORY']] as const) {
    const { id } = await tenant.create();
    const [held] = await tenant.claim({ jobIds: [id], workerId });
    await tenant.fail(held?.token ?? '', { code, retryable: false });
    ids.push(id);
  }
  const [found = ''] = await paste('BROKEN=');
  expect(JSON.parse(found)).toEqual({
    data: { jobs: { count: { value: 1, exact: true }, edges: [{ node: { uuid: ids[0], error: { code: 'OUT_OF_MEMORY' } } }] } },
  });
});

test("the README's counts and statistics are those of the workspace", async () => {
  const workspace = await longhaul.workspace();
  const { paste } = await start(await workspace.key());
  const tenant = Tenant.of(longhaul, workspace.id);
  await tenant.complete((await tenant.running()).token);
  const [printed = ''] = await paste("ask '{ workspace { jobCounts");
  const [counts, statistics] = printed.replace('}{', '}\n{').split('\n').map((answer) => JSON.parse(answer).data.workspace);
  expect(counts.jobCounts).toMatchObject({ pending: 1, running: 0, completed: 1, byType: [{ type: 'comments', pending: 1, running: 0 }] });
  expect(statistics.statistics).toHaveLength(25);
  expect(statistics.statistics.at(-1)).toMatchObject({ created: 2, completed: 1, runP95: expect.any(Number) });
});

test("the README's first job is warned of, and its workers are those that claimed", async () => {
  const workspace = await longhaul.workspace();
  const reader = startReader(longhaul.url);
  let warned = '';
  await reader.paste('URL=', { KEY: () => workspace.key(), ID: (answer) => valueIn((warned = answer), 'id') });
  expect(JSON.parse(warned).data.createJob.warnings).toMatchObject([{ code: 'NO_WORKER' }]);
  await Tenant.of(longhaul, workspace.id).claim({ types: ['comments'], workerId: 'one' });
  await settleWorkers(longhaul);
  const [printed = ''] = await reader.paste("ask '{ jobTypes");
  const [types, workers] = printed.replace('}{', '}\n{').split('\n').map((answer) => JSON.parse(answer).data);
  expect(types.jobTypes).toContainEqual({ name: 'comments', builtIn: false, liveWorkers: 1, pending: 0 });
  expect(workers.workspace.workers.edges).toMatchObject([{ node: { name: 'one', types: ['comments'], running: 0 } }]);
});

test("the README's pause is over again, and its workspace has a limit", async () => {
  const { paste } = await start(longhaul.adminKey);
  const [types = '', limited = ''] = await paste("ask 'mutation { updateJobType", { LIMITED: async () => (await longhaul.workspace()).id });
  expect([...types.matchAll(/"paused":(\w+)/g)].map(([, paused]) => paused)).toEqual(['true', 'false']);
  expect(JSON.parse(limited)).toEqual({ data: { updateWorkspace: { workspace: { name: 'test', concurrencyLimit: 500, paused: false } } } });
});

test("the README's token reads the jobs of its tag and no others", async () => {
  const workspace = await longhaul.workspace();
  const { paste, jobId } = await start(await workspace.key());
  await Tenant.of(longhaul, workspace.id).create();
  const [, list = ''] = await paste(tokens, { TOKEN: (answer) => valueIn(answer, 'token') });
  expect(JSON.parse(list)).toEqual({ data: { jobs: { edges: [{ node: { id: jobId, tags: ['customer-7'] } }] } } });
});

test("the README's bulk action cancels the customer's jobs, and its end is watched", async () => {
  const { paste } = await start(await (await longhaul.workspace()).key());
  const [, printed = ''] = await paste("ask 'mutation ($input: StartBulkActionInput!)", { ACTION: (answer) => valueIn(answer, 'id') });
  expect(printed).toContain('"status":"COMPLETED","seen":1,"done":1,"refusals":[]');
  expect(printed).toContain('"edges":[{"node":{"id":"bulk_');
});

test("the README's page creates under its first tag, and sees its workspace's credits", async () => {
  const workspace = await longhaul.workspace({ credits: 10 });
  const { paste, jobId } = await start(await workspace.key());
  await Tenant.of(longhaul, workspace.id).create();
  const [, printed = ''] = await paste('MAKE=', { PAGE: (answer) => valueIn(answer, 'token') });
  const [made, seen] = printed.replace('}{', '}\n{').split('\n').map((answer) => JSON.parse(answer).data);
  const { job } = made.createJob;
  expect(job.tags).toEqual(['customer-7', 'from-the-page']);
  expect(seen).toEqual({ workspace: { credits: 7 }, jobs: { edges: [job.id, jobId].map((id) => ({ node: { id, status: 'PENDING' } })) } });
});

test("the README's upload is the source of a job", async () => {
  const { paste } = await start(await (await longhaul.workspace()).key());
  let made = '';
  const printed = await paste('SENT=', {
    SENT: (answer) => valueIn((made = answer), 'id'),
    SEND: () => valueIn(made, 'uploadUrl'),
    HASHED: (answer) => valueIn(answer.slice(answer.indexOf('{"data"')), 'id'),
  });
  expect(printed.at(-1)).toContain('"uploads":[{"filename":"note.txt","bytes":15,"sha256":"');
});

test("the README's worker hands over a file, which its link gives", async () => {
  const { paste } = await start(await (await longhaul.workspace()).key());
  let made = '';
  const printed = await paste('FILED=', {
    FILED: (answer) => valueIn(answer, 'id'),
    LEASE: (answer) => valueIn(answer, 'token'),
    UPLOAD: (answer) => valueIn((made = answer), 'id'),
    SEND: () => valueIn(made, 'uploadUrl'),
    FILE: (answer) => valueIn(answer, 'url'),
  });
  expect(printed.at(-2)).toContain('"artifacts":[{"name":"comments","filename":"comments.txt","mediaType":"text/plain;charset=utf-8","bytes":12,');
  expect(printed.at(-1)?.trim()).toBe('It iscontent-disposition: inline; filename=comments.txt');
});

test("the README's preflight is allowed", async () => {
  const { paste } = await start(await (await longhaul.workspace()).key());
  const [headers = ''] = await paste('curl');
  expect(headers.toLowerCase().trim().split('\r\n').map((line) => line.trim()).toSorted()).toEqual([
    'access-control-allow-headers: authorization, content-type',
    expect.stringMatching(/^access-control-allow-methods: .*\bpost\b/),
    'access-control-allow-origin: *',
  ]);
});

test("the README's metrics say that the database is there", async () => {
  const { paste } = await start(await (await longhaul.workspace()).key());
  const [printed = ''] = await paste('curl -s $URL/metrics');
  expect(printed).toMatch(/^longhaul_database_up 1$/m);
});

test("the README's page shows a job that the README cancels, whatever breaks in between", async () => {
  const workspace = await longhaul.workspace();
  const { paste, jobId } = await start(await workspace.key());
  let token = '';
  await paste(tokens, { TOKEN: (answer) => (token = valueIn(answer, 'token')) });
  const page = openPage(longhaul.url);
  const watching = page.watch(token, jobId);
  await eventually(() => expect(page.shown).toEqual([{ text: 'PENDING', percentage: 0 }]));

  const tenant = Tenant.of(longhaul, workspace.id);
  const [lease] = await tenant.claim({ types: ['comments'] });
  await tenant.report(lease?.token ?? '', { percentage: 40, message: 'Page 2 of 5' });
  await eventually(() => expect(page.shown.at(-1)).toEqual({ text: 'RUNNING Page 2 of 5', percentage: 40 }));

  page.cut();
  const [cancelled = ''] = await paste(cancelling);
  expect(JSON.parse(cancelled)).toEqual({ data: { cancelJob: { job: { status: 'CANCELLED' }, creditsRefunded: 1 } } });
  await watching;
  expect(page.shown.at(-1)?.text).toMatch(/^CANCELLED/);
  expect(page.asked).toEqual([{ id: jobId }, { id: jobId, afterVersion: expect.any(Number) }]);

  const [again = ''] = await paste(cancelling);
  expect(JSON.parse(again)).toMatchObject({ data: { cancelJob: { code: 'ALREADY_FINISHED' } } });
});

test("the README's retry is listed by the job that it retries, and what did not arrive by the workspace", async () => {
  const workspace = await longhaul.workspace();
  const { paste } = await start(await workspace.key());
  const tenant = Tenant.of(longhaul, workspace.id);
  await paste(cancelling);
  await tenant.cancel((await tenant.create({ webhookUrl: 'https://127.0.0.1/' })).id);
  const [printed = ''] = await paste("ask 'mutation ($input: RetryJobInput!)");
  const [retried, listed, deliveries] = printed.replaceAll('}{', '}\n{').split('\n').map((answer) => JSON.parse(answer).data);
  expect(listed.job.retries).toEqual({ count: { value: 1 }, edges: [{ node: { id: retried.retryJob.job.id, status: 'PENDING' } }] });
  expect(deliveries.workspace.webhookDeliveries.edges).toMatchObject([{ node: { event: 'JOB_CANCELLED' } }]);
});

test("the README's completions each have an outcome", async () => {
  const { paste, jobId } = await start(await (await longhaul.workspace()).key());
  const [, completed = ''] = await paste("ask 'mutation ($input: ClaimJobsInput!)", { LEASE: (answer) => valueIn(answer, 'token') });
  expect(JSON.parse(completed)).toEqual({
    data: { completeJobs: { results: [{ job: { id: jobId, status: 'COMPLETED' } }, { code: 'LEASE_LOST', message: expect.any(String) }] } },
  });
});

test("the README's second attempt has the checkpoint of the first", async () => {
  const { paste } = await start(await (await longhaul.workspace()).key());
  const values = { LONG: (answer: string) => valueIn(answer, 'id'), HELD: (answer: string) => valueIn(answer, 'token') };
  const [, first = '', rest = ''] = await paste("ask 'mutation { createJob(", values);
  const [reported, released, second] = rest.replaceAll('}{', '}\n{').split('\n').map((answer) => JSON.parse(answer).data);
  expect(JSON.parse(first).data.claimJobs.leases).toMatchObject([{ attempt: 1, checkpoint: null }]);
  expect(reported.reportProgress).toEqual({ expiresAt: expect.any(String) });
  expect(released.releaseJob).toEqual({ job: { status: 'PENDING' } });
  expect(second.claimJobs.leases).toMatchObject([{ attempt: 2, checkpoint: { page: 7 } }]);
});

test("the README's page says why it shows nothing", async () => {
  const workspace = await longhaul.workspace();
  const { paste, jobId } = await start(await workspace.key());
  let token = '';
  await paste(tokens, { TOKEN: (answer) => (token = valueIn(answer, 'token')) });
  const other = await Tenant.of(longhaul, workspace.id).create();
  const page = openPage(longhaul.url);
  await page.watch(token, `job_${other.id}`);
  await page.watch('wrong', jobId);
  expect(page.shown.map(({ text }) => text)).toEqual([expect.stringContaining('not found'), 'The token is wrong or over.']);
});

test("the README's worker writes a log, which is read and watched", async () => {
  const workspace = await longhaul.workspace();
  const { paste } = await start(await workspace.key());
  const printed = await paste("ask 'mutation ($input: CreateJobInput!) { createJob(input: $input) { ... on CreateJobPayload { job { id } } ...", {
    LOGGED: (answer) => valueIn(answer, 'id'),
    LEASE: (answer) => valueIn(answer, 'token'),
  });
  const last = printed.at(-1) ?? '';
  expect(last).toContain('{"data":{"appendLogs":{"sequence":2}}}');
  expect(last).toMatch(/"edges":\[\{"node":\{"sequence":2,"at":"[^"]+","level":"WARN","message":"page 2 is empty","fields":null\}\}\],"droppedLines":0/);
  const lines = '[{"sequence":1,"level":"INFO","message":"begun"},{"sequence":2,"level":"WARN","message":"page 2 is empty"}]';
  expect(last).toContain(`event: next\nid: 2\ndata: {"data":{"jobLogs":${lines}}}\n\nevent: complete`);
});

test("the README's schedule is made, triggered, paused and deleted, and the audit tells of it", async () => {
  const workspace = await longhaul.workspace();
  const { paste } = await start(await workspace.key());
  const [, rest = ''] = await paste("ask 'mutation ($input: CreateScheduleInput!)", { SCHEDULE: (answer) => valueIn(answer, 'id') });
  expect(rest).toContain('"triggerSchedule":{"job":{"id":"job_');
  expect(rest).toContain('"schedule":{"name":"every morning"}');
  expect(rest).toContain('"updateSchedule":{"schedule":{"paused":true,"nextRunAt":null}}');
  expect(rest).toContain('"name":"every morning","cron":"0 7 * * *","paused":true,"nextRunAt":null,"lastRunAt":null,"lastError":null,"jobs":{"edges":[{');
  expect(rest).toContain('"deleteSchedule":{"id":"schedule_');

  const administrator = await start(longhaul.adminKey);
  const [entries = ''] = await administrator.paste("ask '{ workspace { auditEntries");
  expect(JSON.parse(entries)).toMatchObject({ data: { workspace: { auditEntries: { edges: expect.any(Array) } } } });
  await administrator.paste(cancelling);
});

test("the README's table of the audit has every action", async () => {
  const readme = await readFile(new URL('../../README.md', import.meta.url), 'utf8');
  const [, section = ''] = readme.split('\n## Audit\n');
  const [table = ''] = section.split('\n## ');
  const listed = table.split('\n').filter((line) => line.startsWith('| `')).flatMap((line) => [...(line.split('|')[1] ?? '').matchAll(/`([\w.]+)`/g)].map(([, name]) => name));
  expect(listed.toSorted()).toEqual(auditActions.toSorted());
});
