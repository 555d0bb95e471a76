import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Client } from '../../clients/js/src/index.ts';
import { endUnseen } from '../support/deleting.ts';
import { becomeDue } from '../support/domain.ts';
import { eventually } from '../support/eventually.ts';
import { packageUser } from '../support/javascript-client.ts';
import { type Longhaul, startLonghaul } from '../support/longhaul.ts';

const HANDLERS = fileURLToPath(new URL('../support/fixtures/handlers.ts', import.meta.url));

let longhaul: Longhaul;
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'longhaul-own-'));
  longhaul = await startLonghaul({ ROLE: 'all', HANDLERS, WORKER_CONCURRENCY: '8' });
});
afterAll(async () => {
  await longhaul.stop();
  await rm(folder, { recursive: true });
});

test("a job of one's own type gets its input, files, progress, lines and result by the handler in the server", async () => {
  const { client } = await packageUser(longhaul);
  const handle = await client.submit('own/words', { source: new File(['some words'], 'words.txt', { type: 'text/plain' }) });
  expect(await handle.result()).toEqual({ words: 2, loud: true });
  expect(await handle.job()).toMatchObject({
    progress: { percentage: 40, message: 'Reading', step: 'read' },
    artifacts: [
      { name: 'loud', filename: 'loud.txt', mediaType: 'text/plain', bytes: 10 },
      { name: 'bytes', filename: 'bytes', mediaType: 'application/octet-stream', bytes: 3_000_000 },
      { name: 'blob', mediaType: 'application/json', bytes: 2 },
    ],
  });
  expect(await (await (await client.download(handle)).blob()).text()).toBe('SOME WORDS');
  const lines = await Array.fromAsync(handle.logs());
  expect(lines).toMatchObject([{ level: 'INFO', message: 'read', fields: { attempt: 1, jobId: handle.id, aborted: false, last: null, bytes: 10, mediaType: 'text/plain' } }]);
});

test('its type is registered with its terms and schemas, its price charged, and a bad input refused at creation', async () => {
  const { client, key } = await packageUser(longhaul);
  const { data } = await longhaul.graphql(
    '{ jobTypes { name credits maxAttempts timeoutSeconds builtIn inputSchema outputSchema } workspace { credits } }', {}, key,
  );
  const types = data?.['jobTypes'];
  expect(types).toEqual(expect.arrayContaining([
    expect.objectContaining({
      name: 'own/words', credits: 7, maxAttempts: 2, timeoutSeconds: 60, builtIn: true,
      inputSchema: expect.objectContaining({ required: ['source'], properties: expect.objectContaining({ source: { type: 'string', 'x-source': true } }) }),
      outputSchema: expect.objectContaining({ required: ['words', 'loud'] }),
    }),
    expect.objectContaining({ name: 'own/plain', credits: 1, maxAttempts: 3, inputSchema: expect.objectContaining({ required: ['n'] }), outputSchema: null }),
  ]));
  await expect(client.submit('own/words', { source: 'upload:none', email: 'nobody' })).rejects.toMatchObject({
    code: 'VALIDATION_ERROR', issues: [{ path: ['input', 'email'], message: expect.stringContaining('email') }],
  });
  await expect(client.submit('own/words', { loud: true })).rejects.toMatchObject({ issues: [{ path: ['input', 'source'] }] });
  await expect(client.submit('own/plain', { n: 'one' })).rejects.toMatchObject({ issues: [{ path: ['input', 'n'] }] });
  const balance = () => longhaul.graphql('{ workspace { credits } }', {}, key).then((answer) => answer.data);
  const before = await balance();
  await client.submit('own/words', { source: 'no file' });
  expect(before).toEqual({ workspace: { credits: 1_000_000 } });
  expect(await balance()).toEqual({ workspace: { credits: 1_000_000 - 7 } });
});

test('a schema of another library, beside an inputSchema, is held against the input when it runs', async () => {
  const { client } = await packageUser(longhaul);
  expect(await client.run('own/plain', { n: 12 })).toEqual({ input: { n: 12 } });
  await expect(client.run('own/plain', { n: 13 })).rejects.toMatchObject({ code: 'INVALID_INPUT', message: 'n: not 13' });
});

test.for([
  { type: 'own/bad-output', code: 'INVALID_OUTPUT', says: /^words: / },
  { type: 'own/no-json', code: 'INVALID_OUTPUT', says: /BigInt/ },
  { type: 'own/big-checkpoint', code: 'INVALID_CHECKPOINT', says: /65538 bytes/ },
  { type: 'own/huge', code: 'OUTPUT_REFUSED', says: /1048576/ },
])('what a handler of $type gives fails its job for good', async ({ type, code, says }) => {
  const { client } = await packageUser(longhaul);
  await expect(client.run(type, {})).rejects.toMatchObject({ code, message: expect.stringMatching(says) });
});

test('a handler that gives nothing completes its job', async () => {
  const { client } = await packageUser(longhaul);
  expect(await client.run('own/nothing', {})).toBeNull();
});

test('a line that is refused keeps no other from the log, and a file that is not waited for is in its place', async () => {
  const { client } = await packageUser(longhaul);
  const handle = await client.submit('own/careless', {});
  await handle.result();
  expect((await Array.fromAsync(handle.logs())).map(({ message }) => message)).toEqual(['first', 'ab', 'too much', 'last']);
  expect((await handle.job()).artifacts).toMatchObject([{ name: 'video', bytes: 6 }, { name: 'thumbnail', bytes: 5 }]);
});

test('two files of one name fail the attempt with a message that says so', async () => {
  const { client } = await packageUser(longhaul);
  const handle = await client.submit('own/same-name', {});
  await eventually(async () => expect((await Array.fromAsync(linesSoFar(client, handle.id))).join()).toContain('"a" already'));
  await handle.cancel();
});

test('what a handler throws says whether there is another attempt, and when; its checkpoint is there for the next', async () => {
  const { client, tenant } = await packageUser(longhaul);
  const handle = await client.submit('own/fails', {});
  const uuid = handle.id.replace('job_', '');
  await eventually(async () => expect((await handle.job()).nextAttemptAt).not.toBeNull());
  expect(Date.parse((await handle.job()).nextAttemptAt ?? '') - Date.now()).toBeGreaterThan(3_500_000);
  await becomeDue(longhaul, uuid);
  // The third comes by itself in some seconds.
  await eventually(async () => expect((await tenant.read(uuid)).failedAttempts).toBeGreaterThanOrEqual(2));
  await becomeDue(longhaul, uuid);
  await expect(handle.result()).rejects.toMatchObject({ code: 'NO_SOUND', message: 'There is no sound.' });
  const lines = await Array.fromAsync(handle.logs());
  expect(lines.map(({ message, fields }) => [message, fields])).toEqual([
    ['began', { last: null }], ['not now', { code: 'BUSY' }],
    ['began', { last: { attempt: 1 } }], ['a bug', { code: 'HANDLER_ERROR' }],
    ['began', { last: { attempt: 2 } }], ['There is no sound.', { code: 'NO_SOUND' }],
  ]);
});

test('a cancelled job tells its handler CANCELLED', async () => {
  const { client } = await packageUser(longhaul);
  const handle = await waiting(client, 'own/waits', 'cancelled');
  await handle.cancel();
  await eventually(async () => expect(await witnessed('cancelled')).toBe('CANCELLED'));
});

test('a handler whose job was cancelled and deleted unseen is told that its lease is lost', async () => {
  const { client, workspace } = await packageUser(longhaul);
  const handle = await waiting(client, 'own/waits', 'deleted');
  await endUnseen(longhaul, { id: (await handle.job()).uuid, workspaceId: workspace.id });
  await eventually(async () => expect(await witnessed('deleted')).toBe('LEASE_LOST'));
});

test('an attempt that takes too long is told TIMEOUT', async () => {
  const { client } = await packageUser(longhaul);
  const handle = await waiting(client, 'own/late', 'late');
  await eventually(async () => expect(await witnessed('late')).toBe('TIMEOUT'));
  await expect(handle.result()).rejects.toMatchObject({ code: 'TIMEOUT' });
});

test('a server that stops tells its handlers DRAIN, and does not wait for one that is deaf', async () => {
  const other = await startLonghaul({ ROLE: 'all', HANDLERS, WORKER_CONCURRENCY: '2' });
  try {
    const { client } = await packageUser(other);
    await Promise.all([waiting(client, 'own/waits', 'drained'), waiting(client, 'own/waits', 'deaf', { deaf: true })]);
  } finally {
    await other.stop();
  }
  expect([await witnessed('drained'), await witnessed('deaf')]).toEqual(['DRAIN', 'DRAIN']);
});

/** A job whose handler waits for its signal. */
async function waiting(client: Client, type: string, name: string, more: Record<string, unknown> = {}) {
  const handle = await client.submit(type, { witness: join(folder, name), ...more });
  for await (const { status, progress } of handle.updates()) if (status !== 'PENDING' && progress?.percentage === 1) break;
  return handle;
}

function witnessed(name: string): Promise<string> {
  return readFile(join(folder, name), 'utf8');
}

/** The messages of a job that has not ended. */
async function* linesSoFar(client: Client, id: string): AsyncGenerator<string> {
  const query = 'query ($id: ID!) { job(id: $id) { logs(last: 20) { edges { node { message } } } } }';
  const answer = await client.query<{ job: { logs: { edges: { node: { message: string } }[] } } }>(query, { id });
  for (const { node } of answer.job.logs.edges) yield node.message;
}
