import { afterAll, beforeAll, expect, test } from 'vitest';
import { Tenant, usualRequest } from '../support/domain.ts';
import { type Figures, figuresOf, untilNothingIsLeft } from '../support/figures.ts';
import { type Longhaul, sharedLonghaul } from '../support/longhaul.ts';
import { RawSocket } from '../support/raw-socket.ts';

let longhaul: Longhaul;
let before: Figures;
beforeAll(async () => {
  longhaul = await sharedLonghaul();
  before = await figuresOf(longhaul);
});
afterAll(() => longhaul.stop());

const watches = 1_000;

const patience = { timeout: 60_000, interval: 500 };

/** The most that this thread computes in one turn of its event loop while something is awaited, in milliseconds. */
async function longestTurn(done: Promise<unknown>): Promise<number> {
  let longest = 0;
  // CPU time, because on a busy machine others' work would count too.
  let start = process.threadCpuUsage();
  const tick = () => {
    const { user, system } = process.threadCpuUsage(start);
    longest = Math.max(longest, (user + system) / 1_000);
    start = process.threadCpuUsage();
    next = setImmediate(tick);
  };
  let next = setImmediate(tick);
  await done;
  clearImmediate(next);
  return longest;
}

/** Takes long to render and waits for nothing meanwhile. */
const tags = Array.from({ length: 20 }, String);
const numbers = Array.from({ length: 1_000 }, () => 0);
const query = `subscription ($types: [String!]) {
  jobUpdates(filter: { types: $types }) { job { status input ${Array.from({ length: 49 }, (_, n) => `a${n}: tags`).join(' ')} } }
}`;

test('a thousand different jobUpdates of one change hold nobody up for 50 ms', async () => {
  const workspace = await longhaul.workspace();
  const tenant = Tenant.of(longhaul, workspace.id);
  const socket = await RawSocket.open(longhaul.url, await workspace.key());
  const begun = new Set<string>();
  const ended = new Set<string>();
  const all = Promise.withResolvers<void>();
  socket.ws.on('message', (data: Buffer) => {
    const text = data.toString('latin1');
    const id = text.slice(0, text.indexOf(',"type"'));
    begun.add(id);
    if (text.includes('"COMPLETED"')) ended.add(id);
    if (ended.size === watches) all.resolve();
  });
  for (let index = 0; index < watches; index += 1) {
    // Different filters: they cannot share an execution.
    socket.subscribe(`${index}`, { query, variables: { types: ['fingerprint', `none ${index}`] } });
  }
  await expect.poll(async () => (await figuresOf(longhaul)).broadcasts, patience).toBe(watches);
  // A watch from now on does not say when it has begun.
  const { token } = await tenant.running({ tags, input: { ...usualRequest.input, numbers } });
  let reports = 0;
  await expect.poll(async () => (await tenant.report(token, { message: `${(reports += 1)}` }), begun.size), patience).toBe(watches);
  await tenant.complete(token);
  expect(await longestTurn(all.promise)).toBeLessThan(50);
  socket.ws.close();
  await untilNothingIsLeft(longhaul, before);
}, 120_000);
