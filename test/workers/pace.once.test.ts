import { expect, test } from 'vitest';
import { paced } from '../../src/worker/handlers/pace.ts';

const pace = { windowSeconds: 30, leastBytes: 30_000, wholeSeconds: 600 };

/** Reads chunks of so many bytes by a clock of its own, on which each takes so many seconds to come and to be taken. */
async function read({ chunks, bytes, seconds, taking = 0 }: { chunks: number; bytes: number; seconds: number; taking?: number }): Promise<number> {
  let now = 0;
  async function* source() {
    for (let sent = 0; sent < chunks; sent++) {
      now += seconds * 1_000;
      yield Buffer.alloc(bytes);
    }
  }
  let received = 0;
  for await (const chunk of paced(source(), 'example.com', pace, () => now)) {
    received += chunk.byteLength;
    now += taking * 1_000;
  }
  return received;
}

test('a source that sends a byte every three seconds is given up after half a minute, and may be tried again', async () => {
  await expect(read({ chunks: 1_000, bytes: 1, seconds: 3 })).rejects.toMatchObject({
    code: 'SOURCE_TOO_SLOW',
    retryable: true,
    message: 'example.com sent 10 bytes in 30 seconds, which is too slow. Try again later, or use a faster source.',
  });
});

test('one that is fast enough, and one whose reader is slow, are read to their end', async () => {
  expect(await read({ chunks: 100, bytes: 4_000, seconds: 3 })).toBe(400_000);
  expect(await read({ chunks: 50, bytes: 10, seconds: 0.1, taking: 10 })).toBe(500);
});

test('all of it has to come within its time', async () => {
  const message = expect.stringContaining('example.com has not sent the file within 600 seconds');
  await expect(read({ chunks: 1_000, bytes: 10_000, seconds: 3 })).rejects.toMatchObject({ code: 'SOURCE_TOO_SLOW', message });
});
