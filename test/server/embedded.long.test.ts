import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { lockDataDir } from '../../src/database/data-dir-lock.ts';
import { CreateJobDocument, JobDocument, JobTypesDocument, WorkspaceDocument } from '../graphql/generated/graphql.ts';
import { ask } from '../support/client.ts';
import { eventually } from '../support/eventually.ts';
import { startFileServer } from '../support/file-server.ts';
import { type LonghaulProcess, spawnLonghaul, spawnOnTerminal, startProcess, testFolder } from '../support/process.ts';
import { watchJob } from '../support/watched-job.ts';

const run = promisify(execFile);

/** The last line of the greeting on a terminal. */
const curlLine = /^ {2}(curl .*)\n/m;

test('on a terminal the first start shows the address, a key, and a curl line that makes a job whose percentage climbs; a later one keeps the key, and ends with the terminal', async () => {
  const DATA_DIR = await testFolder();
  const first = spawnOnTerminal({ DATA_DIR });
  const [, curl = ''] = await first.wrote(curlLine);
  const [, url = ''] = /^curl -s (\S+\/graphql) /.exec(curl) ?? [];
  await first.wrote(/Longhaul is ready(?: at|\. Open) http:\/\/localhost:\d+\//);
  const [, key = ''] = await first.wrote(/Admin key, shown this once: (\S+)\n/);
  expect(key).toMatch(/^lh_\S{32,}$/);
  const watch = watchJob(url.replace('/graphql', ''), key, await idIn(curl));
  await watch.until(({ progress }) => progress?.step === 'prepare' && (progress.percentage ?? 0) > 0);
  first.kill('SIGTERM');
  expect(await first.ended).toEqual({ code: 0, signal: null });

  const later = spawnOnTerminal({ DATA_DIR });
  const [, template = ''] = await later.wrote(curlLine);
  expect(later.stdout()).not.toContain('lh_');
  expect(later.stdout()).not.toContain('Admin key');
  await idIn(template.replace('YOUR_KEY', key));

  // The terminal and its launcher are gone at once, so that it cannot write a word more.
  later.kill('SIGKILL');
  await later.ended;
  await eventually(() => lockDataDir(DATA_DIR).release());
}, 60_000);

test('elsewhere every line is JSON, from the first start with its address and key, whatever LOG_LEVEL is, to the check of the ledger', async () => {
  const DATA_DIR = await testFolder();
  const first = spawnLonghaul({ DATA_DIR, LOG_LEVEL: 'silent' });
  await first.wrote(/\n/);
  const [served] = linesOf(first);
  expect(served).toMatchObject({ adminKey: expect.stringMatching(/^lh_\S{32,}$/), api: expect.stringMatching(/\/graphql$/) });
  expect(await ask(String(served?.['api']).replace('/graphql', ''), String(served?.['adminKey']), WorkspaceDocument, {})).toMatchObject({ workspace: { name: 'default' } });
  first.kill('SIGTERM');
  expect(await first.ended).toEqual({ code: 0, signal: null });
  expect(linesOf(first)).toHaveLength(1);

  const later = await startProcess({ DATA_DIR });
  later.kill('SIGTERM');
  expect(await later.ended).toEqual({ code: 0, signal: null });
  const said = linesOf(later).map(({ msg }) => msg);
  expect(said.filter((msg) => msg !== 'found ffmpeg')).toEqual(['ready', 'serving', 'stopping']);
  expect(later.stdout()).not.toContain('lh_');

  const check = spawnLonghaul({ DATA_DIR }, ['check-ledger']);
  expect(await check.ended).toEqual({ code: 0, signal: null });
  expect(linesOf(check)).toMatchObject([{ workspaces: 1, entries: 1, jobs: 0, faults: 0, msg: 'everything adds up' }]);

  const doctor = spawnLonghaul({ DATA_DIR }, ['doctor']);
  expect(await doctor.ended).toEqual({ code: 0, signal: null });
  expect(linesOf(doctor).at(-1)).toMatchObject({ damages: 0, msg: 'everything is sound' });
}, 60_000);

test('a second process on the same DATA_DIR is refused until the first is gone, and kill -9 loses nothing acknowledged', async () => {
  const adminKey = randomBytes(32).toString('hex');
  const env = { DATA_DIR: await testFolder(), ADMIN_API_KEY: adminKey, ROLE: 'api' };
  const first = await startProcess(env);
  const second = spawnLonghaul(env);
  expect(await second.ended).toEqual({ code: 1, signal: null });
  expect(second.stderr().split('\n')).toEqual([
    'Longhaul cannot start:',
    expect.stringMatching(/^ {2}DATA_DIR .* is in use by another Longhaul process/),
    '',
  ]);

  // Killed in the middle of many creations: those that were answered have to be there.
  const acknowledged: string[] = [];
  const submitters = Array.from({ length: 8 }, async () => {
    for (;;) {
      const job = await create(first.url, adminKey).catch(() => null);
      if (job === null) return;
      acknowledged.push(job.id);
      if (acknowledged.length === 100) first.kill('SIGKILL');
    }
  });
  await Promise.all(submitters);
  expect(await first.ended).toEqual({ code: null, signal: 'SIGKILL' });
  expect(acknowledged.length).toBeGreaterThanOrEqual(100);

  const again = await startProcess(env);
  for (const id of acknowledged) {
    const { job } = await ask(again.url, adminKey, JobDocument, { id });
    expect(job).toMatchObject({ id, status: 'PENDING', creditsCharged: 1 });
  }
  const { workspace } = await ask(again.url, adminKey, WorkspaceDocument, {});
  const [newest] = workspace.creditTransactions.edges;
  expect(workspace.credits).toBe(newest?.node.balanceAfter);
  expect(workspace.credits).toBeLessThanOrEqual(10_000 - acknowledged.length);
}, 60_000);

test('one process alone downloads a file: the percentage rises, and a REST poll shows the same job completed', async () => {
  const files = await startFileServer();
  const adminKey = randomBytes(32).toString('hex');
  const { url } = await startProcess({
    DATA_DIR: await testFolder(),
    ADMIN_API_KEY: adminKey,
    OUTBOUND_ALLOW: '127.0.0.1',
  });
  const { id, uuid } = await create(url, adminKey, files.url('film.txt'));
  const watch = watchJob(url, adminKey, id);
  await watch.until(({ progress }) => progress?.percentage === 50);
  files.release();
  const { status, downloadUrl } = await watch.end();
  expect(status).toBe('COMPLETED');
  const download = await fetch(downloadUrl ?? '');
  expect(await download.text()).toHaveLength(2_000);
  const poll = await fetch(`${url}/videoconduit/v1/jobs/${uuid}`, { headers: { authorization: `Bearer ${adminKey}` } });
  expect(await poll.json()).toMatchObject({ status: 'completed' });
}, 60_000);

test('SIGHUP makes a process read its job types again; a file with faults changes nothing, and the log says why', async () => {
  const DATA_DIR = await testFolder();
  const JOB_TYPES = join(DATA_DIR, 'types.json');
  const adminKey = randomBytes(32).toString('hex');
  await writeFile(JOB_TYPES, '[{ "name": "render", "credits": 20 }]');
  const longhaul = await startProcess({ DATA_DIR, JOB_TYPES, ADMIN_API_KEY: adminKey, ROLE: 'api' });
  const price = async () => (await ask(longhaul.url, adminKey, JobTypesDocument, {})).jobTypes.find(({ name }) => name === 'render')?.credits;
  expect(await price()).toBe(20);
  await writeFile(JOB_TYPES, '[{ "name": "render", "credits": 7 }]');
  longhaul.kill('SIGHUP');
  await longhaul.wrote(/read the job types again/);
  expect(await price()).toBe(7);
  await writeFile(JOB_TYPES, '[{ "name": "render", "credits": "none" }]');
  longhaul.kill('SIGHUP');
  await longhaul.wrote(/types\.json: entry 1 \(\\"render\\"\): credits: .*the job types stay as they were: JOB_TYPES has faults/);
  expect(await price()).toBe(7);
}, 60_000);

/** Its standard output, of which every line has to be JSON. */
function linesOf(started: LonghaulProcess): Record<string, unknown>[] {
  return started.stdout().trimEnd().split('\n').map((line): Record<string, unknown> => JSON.parse(line));
}

/** What the shell prints when the line is pasted. */
/** The job that a line for a shell has created. */
async function idIn(line: string): Promise<string> {
  const { stdout } = await run('bash', ['-c', line]);
  const { data } = z.object({ data: z.object({ createJob: z.object({ job: z.object({ id: z.string(), status: z.literal('PENDING') }) }) }) }).parse(JSON.parse(stdout));
  return data.createJob.job.id;
}

async function create(
  url: string,
  key: string,
  sourceUrl = 'https://example.com/film',
): Promise<{ id: string; uuid: string }> {
  const type = 'download';
  const { createJob } = await ask(url, key, CreateJobDocument, { input: { type, input: { sourceUrl } } });
  if (createJob === null || 'code' in createJob) throw new Error(`refused: ${JSON.stringify(createJob)}`);
  return createJob.job;
}
