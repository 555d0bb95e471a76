import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Longhaul, sharedLonghaul, type TestWorkspace } from '../support/longhaul.ts';
import { quit, resumeOverEvents, resumeOverSocket, type WatchedVersion } from '../support/resuming.ts';
import { createFaultProxy } from '../support/fault-proxy.ts';
import { submit } from '../support/steps.ts';

let longhaul: Longhaul;
let workspace: TestWorkspace;
let key: string;
beforeAll(async () => {
  longhaul = await sharedLonghaul();
  workspace = await longhaul.workspace();
  key = await workspace.key();
});
afterAll(() => longhaul.stop());

const clients = [
  { over: 'WebSocket', open: resumeOverSocket, hurry: { '10_000': '300' } },
  { over: 'server-sent events', open: resumeOverEvents, hurry: { '30_000': '600' } },
];

test.each(clients)('W3, E4: over $over, a client whose network went dead without a word finds out, and learns the end', async ({ open, hurry }) => {
  const proxy = await createFaultProxy(longhaul.url);
  const job = await submit(longhaul, workspace.id);
  const { client, watch } = open(proxy.url, async () => key, hurry);
  const seen: WatchedVersion[] = [];
  const ended = Promise.withResolvers<unknown>();
  watch(job.id, (version) => seen.push(version), ended.resolve);
  await expect.poll(() => seen.length).toBe(1);
  const connections = proxy.connections();
  proxy.mute();
  await longhaul.services.jobs.cancel(workspace.id, job.id);
  expect(await ended.promise).toBeNull();
  expect(seen.map(({ status }) => status)).toEqual(['PENDING', 'CANCELLED']);
  expect(proxy.connections()).toBeGreaterThan(connections);
  quit(client);
});

test.each(clients)('W3, E4: over $over, a client whose network went dead while it connected tries again, and learns the end', async ({ open, hurry }) => {
  const proxy = await createFaultProxy(longhaul.url);
  const job = await submit(longhaul, workspace.id);
  await longhaul.services.jobs.cancel(workspace.id, job.id);
  proxy.stall();
  const { client, watch } = open(proxy.url, async () => key, hurry);
  const seen: WatchedVersion[] = [];
  const ended = Promise.withResolvers<unknown>();
  watch(job.id, (version) => seen.push(version), ended.resolve);
  await expect.poll(() => proxy.connections()).toBe(1);
  proxy.mute();
  proxy.mend();
  expect(await ended.promise).toBeNull();
  expect(seen.map(({ status }) => status)).toEqual(['CANCELLED']);
  quit(client);
});
