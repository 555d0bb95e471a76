import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Figures, figuresOf, untilNothingIsLeft } from '../support/figures.ts';
import { type Longhaul, sharedLonghaul, type TestWorkspace } from '../support/longhaul.ts';
import { claim, submit } from '../support/steps.ts';

let longhaul: Longhaul;
let workspace: TestWorkspace;
let key: string;
let before: Figures;
beforeAll(async () => {
  longhaul = await sharedLonghaul();
  workspace = await longhaul.workspace();
  key = await workspace.key();
  before = await figuresOf(longhaul);
});
afterAll(() => longhaul.stop());

const query = 'subscription ($id: ID!, $afterVersion: Int) { jobProgress(id: $id, afterVersion: $afterVersion) { version status } }';

test('E7: a poll is answered with what is there, then held until there is more, and says when that was all', async () => {
  const job = await submit(longhaul, workspace.id);
  const first = await poll(job.id, null, 30);
  expect(first.headers.get('preference-applied')).toBe('wait=30');
  expect(await eventsOf(first)).toBe('event: next\nid: 1\ndata: {"data":{"jobProgress":{"version":1,"status":"PENDING"}}}\n\n');

  const second = await poll(job.id, 1, 30);
  await claim(longhaul, job);
  expect(await eventsOf(second)).toBe('event: next\nid: 2\ndata: {"data":{"jobProgress":{"version":2,"status":"RUNNING"}}}\n\n');

  await longhaul.services.jobs.cancel(workspace.id, job.id);
  const last = 'event: next\nid: 3\ndata: {"data":{"jobProgress":{"version":3,"status":"CANCELLED"}}}\n\n';
  expect(await eventsOf(await poll(job.id, 2, 30))).toBe(`${last}event: complete\ndata:\n\n`);
  expect(await eventsOf(await poll(job.id, 3, 30))).toBe('event: complete\ndata:\n\n');
  await untilNothingIsLeft(longhaul, before);
});

test('E7: a poll in which nothing happens ends in time, and whoever leaves it leaves nothing behind', async () => {
  const job = await submit(longhaul, workspace.id);
  expect(await (await poll(job.id, 1, 1)).text()).toMatch(/^(:\n\n)+$/);
  const left = await poll(job.id, 1, 30);
  await left.body?.cancel();
  await untilNothingIsLeft(longhaul, before);
});

/** An answer's events. It opens with a comment; one more may come at any moment, as all streams get theirs at the same time (E4). */
async function eventsOf(response: Response): Promise<string> {
  const [opening, ...blocks] = (await response.text()).split('\n\n');
  expect(opening).toBe(':');
  return blocks.filter((block) => block !== ':').join('\n\n');
}

function poll(id: string, afterVersion: number | null, wait: number): Promise<Response> {
  return fetch(`${longhaul.url}/graphql`, {
    method: 'POST',
    headers: { 'authorization': `Bearer ${key}`, 'content-type': 'application/json', 'accept': 'text/event-stream', 'prefer': `wait=${wait}` },
    body: JSON.stringify({ query, variables: { id, afterVersion } }),
  });
}
