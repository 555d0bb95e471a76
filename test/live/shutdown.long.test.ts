import { json } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import { CreateJobDocument } from '../graphql/generated/graphql.ts';
import { beginRequest } from '../support/begun-request.ts';
import { ask } from '../support/client.ts';
import { untilFigures } from '../support/figures.ts';
import { prepareInstallation } from '../support/process.ts';
import { RawEvents } from '../support/raw-events.ts';
import { RawSocket } from '../support/raw-socket.ts';

const query = 'subscription ($id: ID!) { jobProgress(id: $id) { version } }';

test('S4, E3: three hundred sockets and fifty streams are sent away in waves, and what is in flight is answered', { timeout: 90_000 }, async () => {
  const fleet = await prepareInstallation();
  const api = await fleet.start('api');
  const input = { type: 'comments', input: { sourceUrl: 'https://example.com/film' } };
  const { createJob } = await ask(api.url, fleet.adminKey, CreateJobDocument, { input });
  if (createJob === null || 'code' in createJob) throw new Error(`refused: ${JSON.stringify(createJob)}`);
  const asked = { query, variables: { id: createJob.job.id } };

  const sockets: RawSocket[] = [];
  const streams: RawEvents[] = [];
  for (let round = 0; round < 10; round += 1) {
    sockets.push(...(await Promise.all(Array.from({ length: 30 }, () => RawSocket.open(api.url, fleet.adminKey)))));
    streams.push(...(await Promise.all(Array.from({ length: 5 }, () => RawEvents.open(api.url, fleet.adminKey, asked)))));
  }
  for (const socket of sockets) socket.subscribe('1', asked);
  await untilFigures(api, { websockets: 300, event_streams: 50, subscriptions: 350, broadcasts: 1 });
  // One reads nothing any more, and answers no close.
  sockets[0]?.ws.pause();
  const { answer, finish } = await beginRequest(api.url, fleet.adminKey, '{ workspace { name } }');

  const closings: number[] = [];
  const codes = sockets.slice(1).map(async (socket) => {
    const code = await socket.closed;
    closings.push(performance.now());
    return code;
  });
  const toldAt = performance.now();
  api.kill('SIGTERM');
  await api.wrote(/"msg":"stopping"/);
  api.kill('SIGTERM');
  await api.wrote(/"msg":"still stopping"/);

  expect(new Set(await Promise.all(codes))).toEqual(new Set([1001]));
  // The protocol's own bound.
  expect(Math.max(...closings) - toldAt).toBeLessThan(3_000);
  expect(wavesIn(closings)).toBeGreaterThan(1);
  const retries = await Promise.all(
    streams.map(async (stream) => {
      expect(await stream.over).toBe('cut');
      expect(stream.text).not.toContain('event: complete');
      return Number(/\nretry: (\d+)\n\n$/.exec(stream.text)?.[1]);
    }),
  );
  for (const retry of retries) {
    expect(retry).toBeGreaterThanOrEqual(1_000);
    expect(retry).toBeLessThanOrEqual(5_000);
  }
  expect(new Set(retries).size).toBeGreaterThan(10);

  finish();
  expect(await json(await answer)).toEqual({ data: { workspace: { name: 'default' } } });
  expect(await api.ended).toEqual({ code: 0, signal: null });
  expect(api.stderr()).toBe('');
});

/** Closings that are further apart than those of one wave. */
function wavesIn(closings: readonly number[]): number {
  const ordered = closings.toSorted((a, b) => a - b);
  return 1 + ordered.filter((at, index) => index > 0 && at - (ordered[index - 1] ?? at) > 5).length;
}
