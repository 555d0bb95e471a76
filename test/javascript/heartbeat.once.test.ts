import { once } from 'node:events';
import { createServer } from 'node:http';
import { expect, onTestFinished, test, vi } from 'vitest';
import { createClient } from '../../clients/js/src/index.ts';
import { Heartbeat } from '../../clients/js/src/worker/heartbeat.ts';

const internal = { errors: [{ message: 'Unexpected.', extensions: { code: 'INTERNAL' } }], data: { reportProgress: null } };
const renewed = { data: { reportProgress: {} } };

test('a heartbeat that is answered INTERNAL has renewed nothing, and comes again long before the next is due', async () => {
  const beats: number[] = [];
  const server = createServer((_request, response) => {
    beats.push(performance.now());
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(beats.length === 1 ? internal : renewed));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' ? address?.port : null;
  const lost = vi.fn();
  const heartbeat = new Heartbeat(createClient({ url: `http://127.0.0.1:${port}`, auth: 'key' }), 60, lost);
  onTestFinished(async () => {
    await heartbeat.stop();
    server.closeAllConnections();
    server.close();
  });
  const seconds = 9;
  await heartbeat.keep('lease', seconds);
  await vi.waitFor(() => expect(beats).toHaveLength(2), { timeout: 20_000 });
  const [first = 0, second = Infinity] = beats;
  expect(second - first).toBeLessThan((seconds * 1_000) / 3 - 500);
  expect(lost).not.toHaveBeenCalled();
}, 30_000);
