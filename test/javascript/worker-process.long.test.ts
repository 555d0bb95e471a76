import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { createClient } from '../../clients/js/src/index.ts';
import { type Longhaul, startLonghaul } from '../support/longhaul.ts';
import { type PackedClient, packClient } from '../support/packed-client.ts';

test('what blocks its thread for longer than a lease keeps it, up to the declared limit', async () => {
  const { longhaul, packed } = await serve();
  await runWorker(longhaul, packed, `run: ({ input }) => {
    const end = performance.now() + input.seconds * 1_000;
    while (performance.now() < end);
    return 'done';
  }`, '{ blockedSeconds: 6 }');
  const client = createClient({ url: longhaul.url, auth: longhaul.adminKey });
  expect(await client.run('block', { seconds: 5 }, { maxAttempts: 1 })).toBe('done');
  await expect(client.run('block', { seconds: 12 }, { maxAttempts: 1 })).rejects.toMatchObject({ code: 'LEASE_EXPIRED' });
}, 60_000);

test('SIGTERM hands back what runs, and ends the process', async () => {
  const { longhaul, packed } = await serve();
  const worker = await runWorker(longhaul, packed, 'run: ({ signal }) => new Promise((resolve, reject) => signal.addEventListener("abort", () => reject(signal.reason)))', '{ drainSeconds: 0.1 }');
  const client = createClient({ url: longhaul.url, auth: longhaul.adminKey });
  const handle = await client.submit('block', {});
  await vi.waitFor(async () => expect((await handle.job()).status).toBe('RUNNING'), { timeout: 10_000 });
  worker.kill('SIGTERM');
  await once(worker, 'exit');
  expect(worker.signalCode).toBe('SIGTERM');
  expect((await handle.job()).status).toBe('PENDING');
});

async function serve(): Promise<{ longhaul: Longhaul; packed: PackedClient }> {
  const packed = await packClient();
  await writeFile(join(packed.folder, 'types.json'), JSON.stringify([{ name: 'block', credits: 0, leaseSeconds: 2 }]));
  const longhaul = await startLonghaul({ JOB_TYPES: join(packed.folder, 'types.json') });
  onTestFinished(() => longhaul.stop());
  return { longhaul, packed };
}

/** A worker in a process of its own. Ended after the test. */
async function runWorker({ url, adminKey }: Longhaul, { folder }: PackedClient, handler: string, options: string) {
  await writeFile(join(folder, 'worker.mjs'), `
    import { createClient } from '@longhaul/client';
    import { defineHandler, startWorker } from '@longhaul/client/worker';
    const client = createClient({ url: process.env.URL, auth: process.env.KEY });
    await startWorker({ client, handlers: [defineHandler({ type: 'block', ${handler} })], ...${options} });
  `);
  const child = spawn(process.execPath, ['worker.mjs'], { cwd: folder, env: { URL: url, KEY: adminKey }, stdio: ['ignore', 'inherit', 'inherit'] });
  onTestFinished(async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGKILL');
    await once(child, 'exit');
  });
  return child;
}
