import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { CreateJobDocument, JobDocument, WorkspaceDocument } from '../graphql/generated/graphql.ts';
import { ask } from '../support/client.ts';
import { startFileServer } from '../support/file-server.ts';
import { spawnLonghaul, startProcess, testFolder } from '../support/process.ts';
import { watchJob } from '../support/watched-job.ts';

const run = promisify(execFile);

/** The last line of the greeting. */
const curlLine = /^ {2}(curl .*)\n/m;

test('the first start prints the address, a key, and a curl line that works; a later one keeps the key to itself', async () => {
  const DATA_DIR = await testFolder();
  const first = await startProcess({ DATA_DIR });
  const [, curl = ''] = await first.wrote(curlLine);
  expect(first.stdout()).toContain(`${first.url}/graphql`);
  const [, key = ''] = await first.wrote(/Admin key, shown this once: (\S+)\n/);
  expect(key).toMatch(/^lh_\S{32,}$/);
  expect(await answerTo(curl)).toMatchObject({ data: { workspace: { name: 'default', credits: 10_000 } } });
  first.kill('SIGTERM');
  expect(await first.ended).toEqual({ code: 0, signal: null });

  const later = await startProcess({ DATA_DIR });
  const [, template = ''] = await later.wrote(curlLine);
  expect(later.stdout()).not.toContain('lh_');
  expect(later.stdout()).not.toContain('Admin key');
  expect(await answerTo(template.replace('YOUR_KEY', key))).toMatchObject({ data: { workspace: { name: 'default' } } });
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

/** What the shell prints when the line is pasted. */
async function answerTo(line: string): Promise<unknown> {
  const { stdout } = await run('bash', ['-c', line]);
  return JSON.parse(stdout);
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
