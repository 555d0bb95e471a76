import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Longhaul, startLonghaul } from '../support/longhaul.ts';
import { codeIn, newUpload, offsetOf, SlowSender } from '../support/uploads.ts';

let longhaul: Longhaul;
let key: string;
beforeAll(async () => {
  longhaul = await startLonghaul();
  key = await (await longhaul.workspace()).key();
});
afterAll(() => longhaul.stop());

/** Sends a byte each second until the answer comes, or so many are sent. */
async function trickle(sender: SlowSender, seconds: number): Promise<void> {
  const answered = sender.answered.then(() => true, () => true);
  for (let sent = 0; sent < seconds; sent += 1) {
    await sender.send(Buffer.from(' ')).catch(() => {});
    if (await Promise.race([answered, delay(1_000, false)])) return;
  }
}

describe.concurrent('a request takes a minute to arrive at most', () => {
  test('whatever comes of it', async () => {
    const sender = new SlowSender(`${longhaul.url}/graphql`, { method: 'POST', headers: { 'content-type': 'application/json' } });
    await trickle(sender, 70);
    expect((await sender.answered).statusCode).toBe(408);
  }, 90_000);

  test('but a file takes as long as it takes', async () => {
    const { url } = await newUpload(longhaul, key);
    const sender = new SlowSender(url);
    await trickle(sender, 70);
    sender.end();
    expect((await sender.answered).statusCode).toBe(204);
    expect(await offsetOf(url)).toBe(70);
  }, 90_000);

  test('if something comes of it', async () => {
    const { url } = await newUpload(longhaul, key);
    const sender = new SlowSender(url);
    await sender.send(Buffer.from('abc'));
    const answer = await sender.answered;
    expect([answer.statusCode, await codeIn(answer)]).toEqual([408, 'TIMEOUT']);
    expect(await offsetOf(url)).toBe(3);
  }, 90_000);
});
