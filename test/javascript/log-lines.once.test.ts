import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import { json } from 'node:stream/consumers';
import { expect, onTestFinished, test, vi } from 'vitest';
import { z } from 'zod';
import { createClient } from '../../clients/js/src/index.ts';
import { Calls } from '../../clients/js/src/worker/calls.ts';
import { Reports } from '../../clients/js/src/worker/reports.ts';

const call = z.object({ variables: z.object({ input: z.object({ lines: z.array(z.object({ message: z.string() })).default([]) }) }) });

test('lines go on being sent after a call took along those that were still gathered', async () => {
  const sent: string[] = [];
  const held: ServerResponse[] = [];
  const server = createServer(async (request, response) => {
    const messages = call.parse(await json(request)).variables.input.lines.map(({ message }) => message);
    sent.push(...messages);
    if (messages.includes('one')) held.push(response);
    else answer(response, messages.length > 0 ? 'appendLogs' : 'reportProgress');
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  onTestFinished(() => {
    vi.useRealTimers();
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  const port = typeof address === 'object' ? address?.port : null;
  const calls = new Calls(createClient({ url: `http://127.0.0.1:${port}`, auth: 'key' }));
  const { signal } = new AbortController();
  const reports = new Reports(calls, 'lease', signal, () => undefined);
  const log = (message: string) => reports.log({ at: new Date().toISOString(), level: 'INFO', message });

  log('one');
  await vi.advanceTimersByTimeAsync(1_000);
  await until(() => sent.includes('one'));
  log('two');
  for (const response of held) answer(response, 'appendLogs');
  await until(() => sent.includes('two'));
  // Whoever has this answer has the one before it.
  await calls.send('report', { token: 'lease' }, signal);
  await vi.advanceTimersByTimeAsync(1_000);
  log('three');
  await vi.advanceTimersByTimeAsync(1_000);
  await until(() => sent.includes('three'));
  expect(sent).toEqual(['one', 'two', 'three']);
});

function answer(response: ServerResponse, field: string): void {
  response.setHeader('content-type', 'application/json').end(JSON.stringify({ data: { [field]: {} } }));
}

async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise(setImmediate);
}
