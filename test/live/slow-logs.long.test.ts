import { afterAll, beforeAll, expect, test } from 'vitest';
import { Tenant } from '../support/domain.ts';
import { type Longhaul, sharedLonghaul } from '../support/longhaul.ts';
import { RawEvents } from '../support/raw-events.ts';
import { RawSocket } from '../support/raw-socket.ts';
import { untilFigures } from '../support/figures.ts';

const query = `subscription ($id: ID!) { jobLogs(id: $id) { sequence message } }`;

/** Calls of a worker, each with lines that fill half a megabyte: together more than all buffers between two ends take. */
const calls = 40;
const lines = Array.from({ length: 50 }, () => 'x'.repeat(10_000));

/** One watcher that can stop reading. */
interface Slow {
  sequences(): number[];
  pause(): void;
  resume(): void;
  end(): Promise<unknown>;
}

const ways: { over: string; open: (longhaul: Longhaul, key: string, id: string) => Promise<Slow> }[] = [
  {
    over: 'WebSocket',
    open: async ({ url }, key, id) => {
      const socket = await RawSocket.open(url, key);
      socket.subscribe('1', { query, variables: { id } });
      await socket.until(() => socket.payloads('1').length === 1);
      return {
        sequences: () => socket.payloads('1').flatMap(sequencesOf),
        pause: () => socket.ws.pause(),
        resume: () => socket.ws.resume(),
        end: () => socket.end('1'),
      };
    },
  },
  {
    over: 'server-sent events',
    open: async ({ url }, key, id) => {
      const events = await RawEvents.open(url, key, { query, variables: { id } });
      await events.until(() => events.payloads.length === 1);
      return {
        sequences: () => events.payloads.flatMap(sequencesOf),
        pause: () => void events.response.pause(),
        resume: () => void events.response.resume(),
        end: () => events.end(),
      };
    },
  },
];

let longhaul: Longhaul;
let key: string;
let tenant: Tenant;
beforeAll(async () => {
  longhaul = await sharedLonghaul();
  const workspace = await longhaul.workspace();
  key = await workspace.key();
  tenant = Tenant.of(longhaul, workspace.id);
});
afterAll(() => longhaul.stop());

test.each(ways)('G2, S3: who stops reading a log over $over delays nobody, and misses no line', async ({ open }) => {
  const { job, token } = await tenant.running();
  await tenant.log(token, 'the first line');
  const [slow, fast] = [await open(longhaul, key, job.id), await open(longhaul, key, job.id)];
  slow.pause();
  for (let call = 0; call < calls; call += 1) await tenant.log(token, ...lines);
  const last = 1 + calls * lines.length;
  await expect.poll(() => fast.sequences().at(-1), { timeout: 20_000 }).toBe(last);
  await untilFigures(longhaul, { stalled_connections: 1 });
  await tenant.complete(token);
  await fast.end();

  slow.resume();
  await slow.end();
  const all = Array.from({ length: last }, (_, index) => index + 1);
  expect(slow.sequences()).toEqual(all);
  expect(fast.sequences()).toEqual(all);
}, 60_000);

/** Without reading it whole: it is large. */
function sequencesOf(payload: string): number[] {
  return Array.from(payload.matchAll(/"sequence":(\d+)/g), ([, sequence]) => Number(sequence));
}
