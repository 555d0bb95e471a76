import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import { CancelJobDocument, CreateJobDocument, JobDocument } from '../graphql/generated/graphql.ts';
import { ask } from '../support/client.ts';
import { hasFfmpeg, longClip, programsIn, serveFiles, slowly } from '../support/media.ts';
import { type Installation, prepareInstallation, type ReadyProcess } from '../support/process.ts';

/* Real processes, real time: a few seconds for each test. */

const patient = { timeout: 20_000, interval: 50 } as const;

/** An api and workers that share one scratch folder, and a source whose export takes many minutes. */
async function fleet(): Promise<{ installation: Installation; api: ReadyProcess; scratch: string; sourceUrl: string }> {
  const installation = await prepareInstallation({ OUTBOUND_ALLOW: 'localhost' });
  const scratch = join(installation.folder, 'scratch');
  const api = await installation.start('api');
  const { film: sourceUrl = '' } = await serveFiles({ film: await longClip() });
  return { installation, api, scratch, sourceUrl };
}

async function exported({ api, installation, sourceUrl }: Awaited<ReturnType<typeof fleet>>) {
  const input = { type: 'media/export', input: { sourceUrl, ...slowly } };
  const { createJob } = await ask(api.url, installation.adminKey, CreateJobDocument, { input });
  if (createJob === null || 'code' in createJob) throw new Error(`refused: ${JSON.stringify(createJob)}`);
  return createJob.job;
}

/** The files of work in progress, and of results. */
async function filesIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  return entries.filter((entry) => entry.isFile() && !/^lock|^\.longhaul/.test(entry.name)).map(({ name }) => name);
}

async function heldBy({ query }: Installation, { pid }: ReadyProcess): Promise<number> {
  return (await query(`SELECT FROM lease WHERE worker_id LIKE '%/' || $1::text`, [pid])).length;
}

describe.runIf(hasFfmpeg())('an export under way', () => {
  test('is gone within two seconds of its cancellation: no program, no file, and the credits are back', async () => {
    const all = await fleet();
    const { installation, api, scratch } = all;
    const worker = await installation.start('worker');
    const credits = () => installation.query('SELECT name, credits FROM workspace ORDER BY id');
    const before = await credits();
    const { id } = await exported(all);
    await vi.waitFor(async () => expect((await ask(api.url, installation.adminKey, JobDocument, { id })).job?.progress).toMatchObject({ step: 'exporting' }), patient);
    await vi.waitFor(async () => expect(await programsIn(scratch)).not.toEqual([]), patient);
    await ask(api.url, installation.adminKey, CancelJobDocument, { input: { id } });
    const cancelled = performance.now();
    await vi.waitFor(async () => expect(await programsIn(scratch)).toEqual([]), { timeout: 2_000, interval: 20 });
    expect(performance.now() - cancelled).toBeLessThan(2_000);
    await vi.waitFor(async () => expect(await filesIn(scratch)).toEqual([]), patient);
    expect(await filesIn(join(installation.folder, 'artifacts'))).toEqual([]);
    expect(await credits()).toEqual(before);
    expect((await ask(api.url, installation.adminKey, JobDocument, { id })).job).toMatchObject({ status: 'CANCELLED', creditsRefunded: 1 });
    expect(worker.stdout()).not.toContain('"level":50');
  }, 120_000);

  test('of a process that gets SIGTERM is handed back, four at once, and another process has them within five seconds', async () => {
    const all = await fleet();
    const { installation, scratch } = all;
    const first = await installation.start('worker');
    for (let made = 0; made < 4; made++) await exported(all);
    await vi.waitFor(async () => expect(await heldBy(installation, first)).toBe(4), patient);
    const second = await installation.start('worker');
    await vi.waitFor(async () => expect(await programsIn(scratch, 'ffmpeg')).toHaveLength(4), { ...patient, timeout: 60_000 });
    first.kill('SIGTERM');
    await vi.waitFor(async () => expect(await heldBy(installation, second)).toBe(4), { timeout: 5_000, interval: 50 });
    expect(await first.ended).toMatchObject({ code: 0 });
    const attempts = await installation.query<{ outcome: string; failed: number }>(
      'SELECT outcome, job.failed_attempts AS failed FROM job_attempt JOIN job ON job.id = job_attempt.job_id WHERE outcome IS NOT NULL',
    );
    expect(attempts).toEqual(Array.from({ length: 4 }, () => ({ outcome: 'RELEASED', failed: 0 })));
    second.kill('SIGTERM');
    await second.ended;
    expect(await programsIn(scratch)).toEqual([]);
    expect(await readdir(scratch)).toEqual(expect.not.arrayContaining([expect.stringMatching(/-/)]));
  }, 180_000);

  test('of a process that is killed ends with it, and the next process on the folder removes what it left', async () => {
    const all = await fleet();
    const { installation, scratch } = all;
    const victim = await installation.start('worker');
    await exported(all);
    await vi.waitFor(async () => expect(await programsIn(scratch)).not.toEqual([]), patient);
    victim.kill('SIGKILL');
    await victim.ended;
    await vi.waitFor(async () => expect(await programsIn(scratch)).toEqual([]), { timeout: 2_000, interval: 20 });
    expect(await filesIn(scratch)).toContain('source');
    const next = await installation.start('worker', { BUILT_IN_TYPES: 'demo' });
    expect(await filesIn(scratch)).toEqual([]);
    // What lives is left alone.
    const third = await installation.start('worker', { BUILT_IN_TYPES: 'demo' });
    expect((await readdir(scratch)).filter((name) => name.includes('-'))).toHaveLength(2);
    for (const each of [next, third]) each.kill('SIGTERM');
  }, 120_000);
});
