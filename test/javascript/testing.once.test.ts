import { expect, test } from 'vitest';
import { runHandler } from '../../clients/js/src/testing/index.ts';
import { defineHandler, Fatal, Retryable } from '../../clients/js/src/worker/index.ts';

test('a handler is run without a server, and all that it tells and leaves is there', async () => {
  const handler = defineHandler({
    type: 'x',
    async run({ input, attempt, checkpoint, progress, log, files }) {
      progress(50, 'half');
      log.warn('careful', { attempt });
      checkpoint.save({ before: checkpoint.last });
      const file = await files.open('upload:1');
      await files.save('copy', file.stream, { filename: 'copy.txt' });
      return [input, file.filename, file.bytes];
    },
  });
  const ran = await runHandler(handler, { a: 1 }, { attempt: 3, checkpoint: 'left', files: { 'upload:1': new File(['text'], 'a.txt', { type: 'text/plain' }) } });
  expect(ran).toMatchObject({
    outcome: 'completed',
    output: [{ a: 1 }, 'a.txt', 4],
    error: null,
    reports: [{ percentage: 50, message: 'half' }],
    logs: [{ level: 'WARN', message: 'careful', fields: { attempt: 3 } }],
    checkpoints: [{ before: 'left' }],
    files: [{ name: 'copy', filename: 'copy.txt' }],
  });
  expect(await ran.files[0]?.content.text()).toBe('text');
});

function throwing(error: Error) {
  const run = () => {
    throw error;
  };
  return runHandler(defineHandler({ type: 'x', run }), {});
}

test('what a handler throws is as a server would be told it, and an abort stops it', async () => {
  expect((await throwing(new Fatal('NO', 'never'))).error).toEqual({ code: 'NO', message: 'never', retryable: false });
  expect((await throwing(new Retryable({ after: 5 }))).error).toMatchObject({ retryable: true, retryAfterSeconds: 5 });
  expect((await throwing(new Error('a bug'))).error).toEqual({ code: 'HANDLER_ERROR', message: 'a bug', retryable: true });
  const reasons: unknown[] = [];
  const long = defineHandler({
    type: 'x',
    run: ({ progress, signal }) => {
      for (let percentage = 0; !signal.aborted; percentage += 10) progress(percentage);
      reasons.push(signal.reason);
    },
  });
  expect(await runHandler(long, {}, { abortAt: 30, abortReason: 'DRAIN' })).toMatchObject({ outcome: 'stopped', reports: [{}, {}, {}, { percentage: 30 }] });
  expect(await runHandler(long, {}, { abortAt: 0 })).toMatchObject({ outcome: 'stopped', reports: [] });
  expect(reasons).toEqual(['DRAIN', 'CANCELLED']);
});
