import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { commandUser } from '../support/command-line.ts';
import { type Longhaul, sharedLonghaul } from '../support/longhaul.ts';
import { globalId } from '../support/steps.ts';
import { watchJob } from '../support/watched-job.ts';

let longhaul: Longhaul;
beforeAll(async () => {
  longhaul = await sharedLonghaul();
});
afterAll(() => longhaul.stop());

/** Fails at its first attempt, and goes on at the next from what it had. */
const script = `#!/bin/sh
input=$(cat)
if [ -z "$LONGHAUL_CHECKPOINT" ]; then
  echo '::progress 40 read half of it'
  echo "has no key\${LONGHAUL_KEY:+ but one}\${ADMIN_API_KEY:+ but one}\${SECRET:+ but one}\${LONGHAUL_WEBHOOK_SECRET:+ but one}" >&2
  printf 'two\\rlines\\n' >&2
  echo '::warn it breaks' >&2
  echo '::checkpoint {"page":3}'
  echo '::retry-after 0' >&2
  exit 75
fi
echo '::progress 90'
echo "$LONGHAUL_JOB_ID" > "$LONGHAUL_OUTPUT/b.txt"
echo main > "$LONGHAUL_OUTPUT/a.txt"
echo film > "$LONGHAUL_OUTPUT/c.MP4"
echo no > "$LONGHAUL_OUTPUT/d.constructor"
mkdir "$LONGHAUL_OUTPUT/folder"
printf '{"input": %s,\\n "checkpoint": %s, "attempt": %s}\\n' "$input" "$LONGHAUL_CHECKPOINT" "$LONGHAUL_ATTEMPT"
`;

test('a shell script is a worker: its watchers see how far it is, and get its output, log and files', async () => {
  const { cli, tenant, key } = await commandUser(longhaul);
  const path = join(cli.folder, 'work.sh');
  await writeFile(path, script);
  await chmod(path, 0o755);
  const env = { ADMIN_API_KEY: 'one', SECRET: 'one', LONGHAUL_WEBHOOK_SECRET: 'one' };
  const worker = cli.start(['worker', 'run', '--type', 'comments', '--worker-id', 'scripted', '--', path], { env });
  const job = await tenant.create({ type: 'comments', input: { sourceUrl: 'https://example.com/a.mp4' } });
  const watch = watchJob(longhaul.url, key, globalId(job));
  expect(await watch.until(({ progress }) => progress?.percentage === 40)).toMatchObject({ progress: { step: 'read', message: 'half of it' } });
  expect(await watch.end()).toMatchObject({ status: 'COMPLETED' });

  expect((await tenant.read(job.id)).output).toEqual({ input: { sourceUrl: 'https://example.com/a.mp4' }, checkpoint: { page: 3 }, attempt: 2 });
  const lines = (await tenant.lines(job.id)).map(({ level, message }) => `${level} ${message}`);
  expect(lines).toEqual(['INFO has no key', 'INFO two', 'INFO lines', 'WARN it breaks', 'WARN These are no files, and are left out of the result: folder']);
  const { data } = await longhaul.graphql(`{ job(id: "${job.id}") { downloadUrl artifacts { name mediaType } attempts { error { code message } } } }`, {}, key);
  expect(data?.['job']).toMatchObject({
    artifacts: [
      { name: 'a.txt', mediaType: 'text/plain' },
      { name: 'b.txt', mediaType: 'text/plain' },
      { name: 'c.MP4', mediaType: 'video/mp4' },
      { name: 'd.constructor', mediaType: 'application/octet-stream' },
    ],
  });
  expect(await (await fetch(Object(data?.['job']).downloadUrl)).text()).toBe('main\n');

  worker.kill('SIGTERM');
  expect(await worker.ended).toMatchObject({ code: 0, stdout: '', stderr: expect.stringMatching(/^scripted waits for jobs of comments at http.*\n.* begins, attempt 1\n.* exited with 75 after /) });
});

test('what cannot work is told before anything is claimed', async () => {
  const { cli, tenant } = await commandUser(longhaul);
  const job = await tenant.create({ type: 'comments' });
  const started = (...parameters: string[]) => cli.run(['worker', 'run', ...parameters]);
  const [nameless, missing, taken, refused] = await Promise.all([
    started('--', 'true'),
    started('--type', 'comments', '--', 'no-such-program'),
    started('--type', 'comments', '--health-port', new URL(longhaul.url).port, '--', 'true'),
    cli.run(['worker', 'run', '--type', 'comments', '--', 'true'], { env: { LONGHAUL_KEY: 'lh_of_nobody_0123456789012345678901234567' } }),
  ]);
  expect(nameless).toMatchObject({ code: 2, stderr: expect.stringContaining('--type') });
  expect(missing).toEqual({ code: 2, stdout: '', stderr: 'There is no program no-such-program. Check its name, and PATH.\n' });
  expect(taken).toMatchObject({ code: 1, stderr: expect.stringMatching(/^Cannot listen on the port .*Name another --health-port\.\n$/) });
  expect(refused).toMatchObject({ code: 4, stderr: expect.stringContaining('Sign in: longhaul login') });
  expect(refused.stderr.match(/longhaul login/g)).toHaveLength(1);
  expect(await tenant.read(job.id)).toMatchObject({ status: 'PENDING', startedAt: null });
});
