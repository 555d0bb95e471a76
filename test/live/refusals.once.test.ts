import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Job } from '../../src/jobs/model/job.ts';
import { type Figures, figuresOf, untilFigures, untilNothingIsLeft } from '../support/figures.ts';
import { type Longhaul, sharedLonghaul, type TestWorkspace } from '../support/longhaul.ts';
import { RawSocket } from '../support/raw-socket.ts';
import { submit } from '../support/steps.ts';

let longhaul: Longhaul;
let workspace: TestWorkspace;
let key: string;
let job: Job;
let before: Figures;
beforeAll(async () => {
  longhaul = await sharedLonghaul();
  workspace = await longhaul.workspace();
  key = await workspace.key();
  job = await submit(longhaul, workspace.id);
  before = await figuresOf(longhaul);
});
afterAll(() => longhaul.stop());

const query = 'subscription ($id: ID!) { jobProgress(id: $id) { version } }';
/** Comments are no tokens, and so no other limit sees them. */
const long = `# ${'x'.repeat(100_000)}\n`;

test('W1: a document that is too long is refused before anything is kept of it, over every transport', async () => {
  const socket = await RawSocket.open(longhaul.url, key);
  socket.subscribe('long', { query: long + query, variables: { id: job.id } });
  const refused = { extensions: { code: 'LIMIT_EXCEEDED' } };
  await expect.poll(() => socket.messages('long')).toMatchObject([{ type: 'error', payload: [refused] }]);
  for (const accept of ['text/event-stream', 'application/json', '*/*']) {
    const response = await fetch(`${longhaul.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${key}`, accept },
      body: JSON.stringify({ query: `${long}{ jobTypes { name } }` }),
    });
    expect(await response.text()).toContain('LIMIT_EXCEEDED');
  }
  socket.ws.close();
  await untilNothingIsLeft(longhaul, before);
});

test('W1: a subscription that costs too much is refused once, not with each of its events', async () => {
  const fields = '{ edges { cursor node { id url status event createdAt deliveredAt lastError lastResponseStatus attemptCount } } }';
  const costly = Array.from({ length: 45 }, (_, index) => `d${index}: webhookDeliveries(first: 100) ${fields}`);
  const socket = await RawSocket.open(longhaul.url, key);
  socket.subscribe('costly', { query: `subscription ($id: ID!) { jobProgress(id: $id) { ${costly.join(' ')} } }`, variables: { id: job.id } });
  const refused = { type: 'next', payload: { errors: [{ extensions: { code: 'LIMIT_EXCEEDED' } }] } };
  await expect.poll(() => socket.messages('costly')).toMatchObject([refused, { type: 'complete' }]);
  socket.ws.close();
  await untilNothingIsLeft(longhaul, before);
});

test('W1: a message that only a server may send is a fault of the client, and no bug of ours', async () => {
  const socket = await RawSocket.connect(longhaul.url);
  socket.send({ type: 'next', id: '1', payload: {} });
  expect(await socket.closed).toBe(4400);
});

test.each(['*/*', 'text/*', 'Text/Event-Stream', 'application/json, text/event-stream;q=0.5'])(
  'E1, E2: a stream that is asked for with `Accept: %s` is one like any other',
  async (accept) => {
    const response = await fetch(`${longhaul.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${key}`, accept },
      body: JSON.stringify({ query, variables: { id: job.id } }),
    });
    await untilFigures(longhaul, { subscriptions: 1, broadcasts: 1 });
    const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
    let text = '';
    while (!text.includes('id: 1')) text += (await reader?.read())?.value ?? '';
    await reader?.cancel();
    await untilNothingIsLeft(longhaul, before);
  },
);

test('U1, S3: a watcher that makes up for more than may wait is not sent away, however slowly it reads', async () => {
  const asked = await longhaul.graphql('{ jobUpdatesCursor }', {}, key);
  const after = asked.data?.['jobUpdatesCursor'];
  const jobs: Job[] = [];
  // More than a connection may hold, and than its buffers take.
  for (let count = 0; count < 120; count += 1) {
    jobs.push(await submit(longhaul, workspace.id, { type: 'tool', input: { text: 'x'.repeat(200_000) } }));
  }
  const socket = await RawSocket.open(longhaul.url, key);
  socket.ws.pause();
  socket.subscribe('all', { query: 'subscription ($after: String) { jobUpdates(after: $after) { job { uuid input } } }', variables: { after } });
  await untilFigures(longhaul, { stalled_connections: 1 });
  socket.ws.resume();
  await expect.poll(() => socket.messages('all').length, { timeout: 20_000 }).toBe(jobs.length);
  socket.ws.close();
  await untilNothingIsLeft(longhaul, before);
});
