/*
 * A worker on the package, killed at any moment. Its jobs take a second for each of their parts, and go on with the part that their checkpoint
 * names. A job ends as its input says.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import { createClient } from '../../clients/js/src/index.ts';
import { defineHandler, Fatal, startWorker } from '../../clients/js/src/worker/index.ts';

const { LONGHAUL_URL: url = '', LONGHAUL_API_KEY: auth = '', CONCURRENCY = '1', WORKER_ID: workerId } = process.env;

const parts = defineHandler({
  type: 'parts',
  input: z.object({ parts: z.number(), end: z.enum(['complete', 'fail', 'cancel']) }),
  async run({ input, progress, log, files, checkpoint, signal }) {
    const begunAt = Number(checkpoint.last ?? 0);
    for (let part = begunAt; part < input.parts; part += 1) {
      progress((100 * part) / input.parts, `Part ${part + 1} of ${input.parts}`, 'making');
      log.info('making', { part });
      await delay(1_000, undefined, { signal });
      checkpoint.save(part + 1);
    }
    if (input.end === 'fail') throw new Fatal('BROKEN', 'As it was asked to.');
    await files.save('parts', `${input.parts} parts\n`, { filename: 'parts.txt', mediaType: 'text/plain' });
    return { begunAt };
  },
});

await startWorker({ client: createClient({ url, auth }), handlers: [parts], concurrency: Number(CONCURRENCY), ...(workerId === undefined ? {} : { workerId }) });
