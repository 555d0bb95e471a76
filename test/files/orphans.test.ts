import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { v7 as uuid } from 'uuid';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { CreateJobDocument, JobDocument, JobProgressDocument } from '../graphql/generated/graphql.ts';
import { ask, rest, watchSocket } from '../support/client.ts';
import { type HeldJob, Tenant } from '../support/domain.ts';
import { startFileServer } from '../support/file-server.ts';
import { type Longhaul, startLonghaul } from '../support/longhaul.ts';

let longhaul: Longhaul;
beforeAll(async () => {
  longhaul = await startLonghaul();
  // The sweep that the start began is over before any test makes a file.
  await longhaul.sweeper.sweepOrphans();
});
afterAll(() => longhaul.stop());

/** A file of the tenant's on the volume that no job names. */
async function saveFile({ id: workspaceId }: Tenant): Promise<string> {
  const signal = new AbortController().signal;
  const about = { workspaceId, filename: 'film.mp4', mediaType: 'video/mp4', maxBytes: 10, signal };
  return (await longhaul.services.artifacts.save(Readable.from([Buffer.from('a film')]), about)).id;
}

function folderOf({ id }: Tenant): string {
  return join(longhaul.services.store.place, id);
}

function filesOf(tenant: Tenant): Promise<string[]> {
  return readdir(folderOf(tenant));
}

test('a file that no job names and no attempt can name goes with the first sweep, half-written ones too', async () => {
  const tenant = await Tenant.in(longhaul);
  await saveFile(tenant);
  // As this version and 0.2.0 write them.
  for (const suffix of ['.kept.part', '.part']) await writeFile(join(folderOf(tenant), uuid() + suffix), 'half');
  await longhaul.sweeper.sweepOrphans();
  expect(await filesOf(tenant)).toEqual([]);
});

test('a file stays while an attempt runs that may still complete its job with it, and goes once that has ended', async () => {
  const tenant = await Tenant.in(longhaul);
  const attempt = await tenant.running();
  const file = await saveFile(tenant);
  await longhaul.sweeper.sweepOrphans();
  await longhaul.sweeper.sweepOrphans();
  expect(await filesOf(tenant)).toEqual([file]);

  await tenant.cancel(attempt.job.id);
  await longhaul.sweeper.sweepOrphans();
  expect(await filesOf(tenant)).toEqual([]);
});

test('attempts that began after a file was first seen do not keep it', async () => {
  const tenant = await Tenant.in(longhaul);
  const earlier = await tenant.running();
  await saveFile(tenant);
  await longhaul.sweeper.sweepOrphans();
  const later = await tenant.running();
  const another = await saveFile(tenant);
  await tenant.release(earlier.token);
  await longhaul.sweeper.sweepOrphans();
  expect(await filesOf(tenant)).toEqual([another]);
  await tenant.complete(later.token);
  await longhaul.sweeper.sweepOrphans();
  expect(await filesOf(tenant)).toEqual([]);
});

/** A file that an attempt has written in part, and named in its job's checkpoint. */
async function keptBy(tenant: Tenant, { token }: HeldJob): Promise<string> {
  const file = { workspaceId: tenant.id, id: uuid() };
  await longhaul.services.store.append(file, null, Readable.from([Buffer.from('half')]), { signal: new AbortController().signal, maxBytes: 4, onKept: () => {} });
  await tenant.report(token, { checkpoint: { file: file.id } });
  return `${file.id}.kept.part`;
}

test('what an attempt has kept for the next one stays until its job has ended, whoever runs it', async () => {
  const [tenant, neighbour] = [await Tenant.in(longhaul), await Tenant.in(longhaul)];
  const [kept, over, foreign] = [await tenant.running(), await tenant.running(), await neighbour.running()];
  const parts = [await keptBy(tenant, kept), await keptBy(tenant, over)];
  // A job of another workspace keeps nothing here.
  const [unkept = ''] = (await keptBy(tenant, over)).split('.');
  await neighbour.report(foreign.token, { checkpoint: { file: unkept } });
  await tenant.report(over.token, { checkpoint: { file: parts[1]?.split('.')[0] ?? '' } });
  await longhaul.sweeper.sweepOrphans();
  await tenant.release(kept.token);
  await tenant.complete(over.token);
  await longhaul.sweeper.sweepOrphans();
  expect(await filesOf(tenant)).toEqual(parts.slice(0, 1));

  await tenant.cancel(kept.job.id);
  await longhaul.sweeper.sweepOrphans();
  expect(await filesOf(tenant)).toEqual([]);
});

test("another workspace's attempts do not keep a file", async () => {
  const [tenant, neighbour] = [await Tenant.in(longhaul), await Tenant.in(longhaul)];
  await neighbour.running();
  await saveFile(tenant);
  await longhaul.sweeper.sweepOrphans();
  expect(await filesOf(tenant)).toEqual([]);
});

test('sweeps without a pause take nothing from downloads that complete meanwhile', async () => {
  const working = await startLonghaul({ ROLE: 'all', OUTBOUND_ALLOW: '127.0.0.1', WORKER_CONCURRENCY: '4' });
  try {
    const source = await startFileServer();
    source.release();
    const key = await (await working.workspace()).key();
    const ids = await Promise.all(Array.from({ length: 8 }, async (_, n) => {
      const input = { type: 'download', input: { sourceUrl: source.url(`${n}.txt`) } };
      const { createJob } = await ask(working.url, key, CreateJobDocument, { input });
      if (createJob === null || 'code' in createJob) throw new Error(`refused: ${JSON.stringify(createJob)}`);
      return createJob.job.id;
    }));
    const ended = Promise.all(ids.map((id) => rest(watchSocket(working.url, key, JobProgressDocument, { id }))));
    const over = ended.then(() => true);
    while (!(await Promise.race([over, working.sweeper.sweepOrphans()])));
    await working.sweeper.sweepOrphans();

    for (const id of ids) {
      const { job } = await ask(working.url, key, JobDocument, { id });
      expect(job).toMatchObject({ status: 'COMPLETED' });
      const file = await fetch(job?.downloadUrl ?? '');
      expect(file.status).toBe(200);
      expect((await file.arrayBuffer()).byteLength).toBe(2_000);
    }
  } finally {
    await working.stop();
  }
}, 60_000);
