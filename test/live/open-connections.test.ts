import { createClient } from 'graphql-ws';
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from 'vitest';
import { WebSocket } from 'ws';
import { revokeApiKey } from '../../src/workspaces/revoke-api-key.ts';
import { type Longhaul, sharedLonghaul, type TestWorkspace } from '../support/longhaul.ts';

let longhaul: Longhaul;
beforeAll(async () => {
  longhaul = await sharedLonghaul();
});
afterAll(() => longhaul.stop());

test('a socket whose key is revoked is closed for good', async () => {
  const { key, jobId } = await jobOf(await longhaul.workspace());
  const socket = watchOverSocket(key, jobId);
  await socket.watching;

  await revoke(key);

  expect(await socket.closed).toBe(4401);
});

test('a socket whose token expires is closed so that its client comes back with a fresh one', async () => {
  const { workspace, jobId } = await jobOf(await longhaul.workspace());
  const expiresAt = new Date(Date.now() + 3_600_000);
  const key = await longhaul.services.authenticator.find(await workspace.key({ scopes: ['READ'] }));
  const token = await longhaul.services.accessTokens.sign({ ...viewerOf(key), restriction: { jobId }, scopes: ['READ'], expiresAt });
  const socket = watchOverSocket(token, jobId);
  await socket.watching;

  const now = vi.spyOn(longhaul.services.clock, 'now').mockReturnValue(expiresAt);
  onTestFinished(() => now.mockRestore());
  expect(await socket.closed).toBe(4403);
});

test('an operation on a socket whose key was just revoked is not carried out', async () => {
  const { workspace, key } = await jobOf(await longhaul.workspace());
  const client = createClient({ url: socketUrl(), webSocketImpl: WebSocket, connectionParams: { apiKey: key }, lazy: false });
  await new Promise<void>((resolve) => {
    client.on('connected', () => resolve());
  });

  await revoke(key);
  const outcome = await new Promise<unknown>((resolve) => {
    client.subscribe(
      { query: 'mutation { createJob(input: { type: "export" }) { __typename } }' },
      { next: resolve, error: resolve, complete: () => undefined },
    );
  });

  expect(JSON.stringify(outcome)).toMatch(/UNAUTHENTICATED|4401/);
  const [row] = await longhaul.services.database.hot.query<{ jobs: number }>(
    'SELECT count(*)::int AS jobs FROM job WHERE workspace_id = $1',
    [workspace.id],
  );
  expect(row?.jobs).toBe(1);
  await client.dispose();
});

test('an event stream whose key is revoked is cut', async () => {
  const { key, jobId } = await jobOf(await longhaul.workspace());
  const response = await fetch(`${longhaul.url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'text/event-stream', 'x-api-key': key },
    body: JSON.stringify({ query: watch, variables: { jobId } }),
  });
  const reader = response.body?.getReader();
  await reader?.read();

  await revoke(key);

  await expect(readToTheEnd(reader)).rejects.toThrow();
});

const watch = 'subscription ($jobId: ID!) { jobProgress(id: $jobId) { version } }';

function socketUrl(): string {
  return `${longhaul.url.replace('http', 'ws')}/graphql`;
}

async function jobOf(workspace: TestWorkspace): Promise<{ workspace: TestWorkspace; key: string; jobId: string }> {
  const key = await workspace.key();
  const { data } = await longhaul.graphql(
    'mutation { createJob(input: { type: "export" }) { ... on CreateJobPayload { job { uuid } } } }',
    {},
    key,
  );
  const jobId = /[0-9a-f-]{36}/.exec(JSON.stringify(data))?.[0];
  if (jobId === undefined) throw new Error('no job was created');
  return { workspace, key, jobId };
}

async function revoke(secret: string): Promise<void> {
  const { authenticator, database } = longhaul.services;
  const key = await authenticator.find(secret);
  await revokeApiKey(database, authenticator, key?.id ?? '');
}

function viewerOf(key: { id: string; workspaceId: string } | null) {
  if (key === null) throw new Error('the key is not known');
  return {
    apiKeyId: key.id,
    workspaceId: key.workspaceId,
    scopes: new Set(['READ' as const]),
    address: '127.0.0.1',
    restriction: null,
    expiresAt: null,
  };
}

/** Resolves `watching` with the first version, `closed` with the code that the server closes with. */
function watchOverSocket(apiKey: string, jobId: string): { watching: Promise<unknown>; closed: Promise<number> } {
  const client = createClient({
    url: socketUrl(),
    webSocketImpl: WebSocket,
    connectionParams: { apiKey },
    retryAttempts: 0,
  });
  const closed = new Promise<number>((resolve) => {
    client.on('closed', (event) => {
      resolve(typeof event === 'object' && event !== null && 'code' in event ? Number(event.code) : 0);
    });
  });
  const watching = new Promise((resolve) => {
    client.subscribe(
      { query: watch, variables: { jobId } },
      { next: resolve, error: () => undefined, complete: () => undefined },
    );
  });
  return { watching, closed };
}

async function readToTheEnd(reader: ReadableStreamDefaultReader<Uint8Array> | undefined): Promise<void> {
  for (;;) if ((await reader?.read())?.done !== false) return;
}
