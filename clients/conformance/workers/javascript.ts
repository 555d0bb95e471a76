/** The job of the conformance kit on @longhaul/client. */
import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { createClient } from '../../js/src/index.ts';
import { defineHandler, Fatal, Retryable, startWorker } from '../../js/src/worker/index.ts';

const { LONGHAUL_URL = '', LONGHAUL_API_KEY = '' } = process.env;

interface Input {
  name: string;
  seconds?: number;
  fail?: 'fatal';
  checkpoint?: string;
  retryAfterSeconds?: number;
  sourceUrl?: string;
  save?: boolean;
}

const conformance = defineHandler({
  type: 'conformance',
  inputSchema: { type: 'object' },
  async run({ input, files, checkpoint, signal }) {
    const { name, seconds = 0, fail, sourceUrl, save = false, retryAfterSeconds, checkpoint: half }: Input = { name: '', ...input };
    let sha256: string | null = null;
    if (sourceUrl !== undefined) {
      const blob = await (await files.open(sourceUrl)).blob();
      sha256 = createHash('sha256').update(new Uint8Array(await blob.arrayBuffer())).digest('hex');
      if (save) await files.save('copy', blob);
    }
    await sleep(seconds * 1_000, undefined, { signal });
    if (fail === 'fatal') throw new Fatal('REFUSED', 'No attempt would help.');
    if (half !== undefined && checkpoint.last === null) {
      checkpoint.save(half);
      throw new Retryable({ message: 'Another attempt goes on from here.', ...(retryAfterSeconds === undefined ? {} : { after: retryAfterSeconds }) });
    }
    return { name, checkpoint: checkpoint.last, sha256 };
  },
});

await startWorker({ client: createClient({ url: LONGHAUL_URL, auth: LONGHAUL_API_KEY }), handlers: [conformance], concurrency: 2, drainSeconds: 1 });
