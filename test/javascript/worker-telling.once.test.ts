import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { Fatal, type Handler, Retryable, startWorker } from '../../clients/js/src/worker/index.ts';
import { becomeDue } from '../support/domain.ts';
import { packageUser, type PackageUser } from '../support/javascript-client.ts';
import { type Longhaul, startLonghaul } from '../support/longhaul.ts';

let longhaul: Longhaul;
beforeAll(async () => {
  longhaul = await startLonghaul();
});
afterAll(() => longhaul.stop());

const input = { sourceUrl: 'https://example.com/a.mp4' };

function circle(): Record<string, unknown> {
  const circular: Record<string, unknown> = {};
  return Object.assign(circular, { circular });
}

/** A job of one attempt whose handler this is. */
async function submitted(client: PackageUser['client'], run: Handler['run']) {
  const worker = await startWorker({ client, handlers: [{ type: 'comments', run }], signals: false, drainSeconds: 0 });
  onTestFinished(() => worker.stop());
  return client.submit('comments', input, { maxAttempts: 1 });
}

test.for([
  ['an output that is no JSON', () => ({ bytes: 10n }), 'INVALID_OUTPUT', /BigInt/],
  ['an output with a circle', circle, 'INVALID_OUTPUT', /circular/],
  ['a checkpoint that is no JSON', ({ checkpoint }) => checkpoint.save(circle()), 'INVALID_CHECKPOINT', /circular/],
  ['a checkpoint that is too large', ({ checkpoint }) => checkpoint.save('x'.repeat(65_536)), 'INVALID_CHECKPOINT', /65538 bytes/],
  ['a code that no job can have', () => { throw new Fatal('no such form!', 'a sentence'); }, 'HANDLER_ERROR', /^a sentence$/],
  ['a message that no job can have', () => { throw new Error(`\0${'x'.repeat(20_000)}`); }, 'HANDLER_ERROR', /^x{10000}$/],
  ['an instant that no job can have', () => { throw new Retryable({ after: -1, code: 'BUSY' }); }, 'BUSY', /another attempt/],
] satisfies [string, Handler['run'], string, RegExp][])('a job fails at once by %s', async ([, run, code, message]) => {
  const { client } = await packageUser(longhaul);
  const handle = await submitted(client, run);
  await expect(handle.result()).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
});

test('one line that is refused keeps no other from the log, and what of it can be shown is there', async () => {
  const { client } = await packageUser(longhaul);
  const handle = await submitted(client, ({ log }) => {
    log.info('first');
    log.info('a\0b', { n: 1 });
    log.info('a circle', circle());
    log.info('too much', { text: 'x'.repeat(20_000) });
    for (let n = 0; n < 1_000; n += 1) log.debug('y'.repeat(6_000));
    log.info('last');
  });
  await handle.result();
  const lines = await Array.fromAsync(handle.logs());
  expect(lines.filter(({ level }) => level === 'INFO').map(({ message, fields }) => [message, fields])).toEqual([
    ['first', null], ['ab', { n: 1 }], ['a circle', null], ['too much', null], ['last', null],
  ]);
  expect(lines).toHaveLength(1_005);
});

test('progress that is too long or out of bounds is made fit, and takes no checkpoint with it', async () => {
  const { client } = await packageUser(longhaul);
  const handle = await submitted(client, ({ progress, checkpoint }) => {
    progress(10);
    progress(140, 'm'.repeat(3_000), 's'.repeat(300));
    checkpoint.save({ page: 7 });
  });
  await handle.result();
  expect((await handle.job()).progress).toEqual({ percentage: 100, message: 'm'.repeat(2_000), step: 's'.repeat(200) });
});

test('the next attempt gets a checkpoint as it was when it was saved', async () => {
  const { client } = await packageUser(longhaul);
  const lasts: unknown[] = [];
  const worker = await startWorker({
    client,
    signals: false,
    drainSeconds: 0,
    handlers: [{
      type: 'comments',
      run({ attempt, checkpoint, progress }) {
        lasts.push(checkpoint.last);
        if (attempt > 1) return;
        const state = { done: 1 };
        progress(1);
        checkpoint.save(state);
        state.done = 2;
        throw new Retryable({ after: 3_600 });
      },
    }],
  });
  onTestFinished(() => worker.stop());
  const handle = await client.submit('comments', input);
  for await (const { nextAttemptAt } of handle.updates()) if (nextAttemptAt !== null) break;
  await becomeDue(longhaul, handle.id.replace('job_', ''));
  await handle.result();
  expect(lasts).toEqual([null, { done: 1 }]);
});

test("files are the job's in the order of their saving, whichever was sent first, those not waited for too", async () => {
  const { client } = await packageUser(longhaul);
  const handle = await submitted(client, async ({ files }) => {
    const thumbnail = Promise.withResolvers<void>();
    void files.save('video', (async function* () {
      yield new Uint8Array(3);
      await thumbnail.promise;
      yield new Uint8Array(3);
    })());
    await files.save('thumbnail', 'small');
    thumbnail.resolve();
  });
  await handle.result();
  expect((await handle.job()).artifacts).toMatchObject([{ name: 'video', bytes: 6 }, { name: 'thumbnail', bytes: 5 }]);
});
