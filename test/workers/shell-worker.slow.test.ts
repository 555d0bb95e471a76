import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { type Longhaul, startLonghaul } from '../support/longhaul.ts';
import { testFolder } from '../support/process.ts';
import { watchJob } from '../support/watched-job.ts';

const script = fileURLToPath(new URL('../../examples/worker.sh', import.meta.url));

/** Reads the file of its input twice over into a result; the first attempt saves a checkpoint with all that makes JSON hard to read. */
const command = `
if [ "$CHECKPOINT" = null ]; then
  printf %s '{"said": "\\"}]}}", "mark_in": [{"job": {"input": {}}}]}' >"$SAVE"
  exit 75
fi
cat "$FILES"/* "$FILES"/* >"$RESULTS/twice.txt"
printf '{"input": %s, "checkpoint": %s}' "$(cat)" "$CHECKPOINT"
`;

let longhaul: Longhaul;
beforeAll(async () => {
  longhaul = await startLonghaul();
});
afterAll(() => longhaul.stop());

test('the worker in a shell goes on from a checkpoint, reads a file, and hands over another', { timeout: 60_000 }, async () => {
  const key = await (await longhaul.workspace({ credits: 100 })).key();
  const folder = await testFolder();
  await writeFile(join(folder, 'work.sh'), command);
  const worker = spawn(script, ['comments', 'sh', join(folder, 'work.sh')], {
    env: { PATH: process.env['PATH'], LONGHAUL_URL: longhaul.url, LONGHAUL_API_KEY: key },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const ended = once(worker, 'exit');
  onTestFinished(async () => {
    worker.kill('SIGKILL');
    await ended;
  });

  const asked = 'mutation { createUpload(input: { filename: "said.txt" }) { ... on CreateUploadPayload { uploadUrl upload { id } } } }';
  const { createUpload } = Object((await longhaul.graphql(asked, {}, key)).data);
  await fetch(createUpload.uploadUrl, { method: 'PUT', body: 'It is fine.\n' });
  const input = { sourceUrl: `upload:${createUpload.upload.id}`, note: '"}}],"mark_in":[{"job":{"input":{}}}] \\ ü' };
  const creation = 'mutation ($input: CreateJobInput!) { createJob(input: $input) { ... on CreateJobPayload { job { id } } } }';
  const { createJob } = Object((await longhaul.graphql(creation, { input: { type: 'comments', input } }, key)).data);
  const { id } = createJob.job;

  expect(await watchJob(longhaul.url, key, id).end()).toMatchObject({ status: 'COMPLETED' });
  const { job } = Object((await longhaul.graphql(`{ job(id: "${id}") { output artifacts { name filename url } attempts { number } } }`, {}, key)).data);
  expect(job.output).toEqual({ input, checkpoint: { said: '"}]}}', mark_in: [{ job: { input: {} } }] } });
  expect(job.attempts).toHaveLength(2);
  expect(job.artifacts).toMatchObject([{ name: 'twice.txt', filename: 'twice.txt' }]);
  expect(await (await fetch(job.artifacts[0].url)).text()).toBe('It is fine.\nIt is fine.\n');

  worker.kill('SIGTERM');
  expect(await ended).toEqual([0, null]);
});
