import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { ProcessLock } from '../../src/database/process-lock.ts';
import { Route } from '../../src/database/connection/route.ts';
import { readServer } from '../../src/database/connection/database-url.ts';
import { silentLog } from '../../src/log.ts';
import {
  type Ending,
  prepareEmptyInstallation,
  prepareInstallation,
  spawnLonghaul,
  startProcess,
  testFolder,
} from '../support/process.ts';

const secret = 'a secret of more than 32 characters';
const unusedDatabase = 'postgres://127.0.0.1:1/none';

test('a bad configuration stops the start with one line for each mistake', async () => {
  const { ending, lines } = await refusal({
    DATA_DIR: await testFolder(),
    PORT: 'http',
    DATABASE_URL: unusedDatabase,
    COMPAT_HOSTS: 'a.example=vidocu, b.example=nobody, b.example',
  });
  expect(ending).toEqual({ code: 1, signal: null });
  expect(lines).toEqual([
    'Longhaul cannot start:',
    expect.stringMatching(/^ {2}PORT: expected an integer .*"http"/),
    expect.stringMatching(/^ {2}COMPAT_HOSTS: .*"b\.example=nobody"/),
    expect.stringMatching(/^ {2}COMPAT_HOSTS: .*"b\.example"/),
    expect.stringMatching(/^ {2}SECRET: required with DATABASE_URL/),
  ]);
});

test('a bad JOB_TYPES file stops the start with one line for each mistake', async () => {
  const folder = await testFolder();
  const path = join(folder, 'types.json');
  await writeFile(path, JSON.stringify([{ name: 'render' }, { name: 'mix', credits: 1, timeout: 5 }]));
  const { ending, lines } = await refusal({ DATA_DIR: folder, JOB_TYPES: path });
  expect(ending).toEqual({ code: 1, signal: null });
  expect(lines).toEqual([
    'Longhaul cannot start:',
    expect.stringMatching(/^ {2}.*types\.json: entry 1 \("render"\): credits: /),
    expect.stringMatching(/^ {2}.*types\.json: entry 2 \("mix"\): timeout: /),
  ]);
});

test('a JOB_TYPES file that is not there stops the start', async () => {
  const folder = await testFolder();
  const { ending, lines } = await refusal({ DATA_DIR: folder, JOB_TYPES: join(folder, 'none.json') });
  expect(ending).toEqual({ code: 1, signal: null });
  expect(lines).toEqual(['Longhaul cannot start:', expect.stringMatching(/none\.json: cannot be read .*ENOENT/)]);
});

test.for([
  { given: 'nothing', env: {} },
  { given: 'DATABASE_URL alone', env: { DATABASE_URL: unusedDatabase, SECRET: secret } },
])('ROLE=worker with $given is refused: it needs the shared servers', async ({ env }) => {
  const { ending, lines } = await refusal({ DATA_DIR: await testFolder(), ROLE: 'worker', ...env });
  expect(ending).toEqual({ code: 1, signal: null });
  expect(lines).toEqual([
    'Longhaul cannot start:',
    expect.stringMatching(/^ {2}ROLE: worker needs DATABASE_URL and REDIS_URL/),
  ]);
});

test('a port that is taken stops the start', async () => {
  const taken = createServer().listen(0, '127.0.0.1');
  onTestFinished(() => void taken.close());
  await once(taken, 'listening');
  const address = taken.address();
  const port = String(typeof address === 'object' ? address?.port : '');
  const { env } = await prepareInstallation();
  const { ending, lines } = await refusal({ ...env, PORT: port });
  expect(ending).toEqual({ code: 1, signal: null });
  expect(lines).toEqual([
    'Longhaul cannot start:',
    `  Cannot listen on 127.0.0.1:${port} (EADDRINUSE). Choose another PORT or HOST.`,
  ]);
});

test('a Postgres that does not answer stops the start with a readable line, and the password is not in it', async () => {
  const { ending, lines } = await refusal({
    DATA_DIR: await testFolder(),
    DATABASE_URL: 'postgres://longhaul:hunter2hunter2@127.0.0.1:1/longhaul',
    SECRET: secret,
  });
  expect(ending).toEqual({ code: 1, signal: null });
  expect(lines).toHaveLength(2);
  expect(lines[1]).toMatch(/127\.0\.0\.1:1/);
  expect(lines.join()).not.toContain('hunter2');
});

test('without REDIS_URL a second process on the database is refused, whether it has one or not', async () => {
  const { env } = await prepareInstallation();
  const { REDIS_URL: _redis, ...alone } = env;
  const first = await startProcess(alone);
  const [second, third] = await Promise.all([refusal(alone), refusal(env)]);
  for (const { ending, lines } of [second, third]) {
    expect(ending).toEqual({ code: 1, signal: null });
    expect(lines).toEqual(['Longhaul cannot start:', expect.stringMatching(/REDIS_URL/)]);
  }
  expect((await fetch(`${first.url}/health/ready`)).status).toBe(200);
}, 60_000);

test('another artifact volume than the others have is refused', async () => {
  const { env, start } = await prepareInstallation();
  await start('api');
  const { ending, lines } = await refusal({ ...env, ARTIFACTS_DIR: join(await testFolder(), 'elsewhere') });
  expect(ending).toEqual({ code: 1, signal: null });
  expect(lines).toEqual(['Longhaul cannot start:', expect.stringMatching(/ARTIFACTS_DIR/)]);
});

test('processes that start together on an empty database migrate it in turn, and all come up', async () => {
  const fleet = await prepareEmptyInstallation();
  // All of them stand before the migration at once, which by mere starting together would be rare.
  const all = await ProcessLock.exclusively(new Route(readServer(fleet.databaseUrl, {})), silentLog, async () => {
    const started = ['api', 'api', 'worker'].map((ROLE) => spawnLonghaul({ ...fleet.env, ROLE }));
    await Promise.all(started.map(({ wrote }) => wrote(/another process migrates the database; waiting for it/)));
    expect(await fleet.query(`SELECT to_regclass('job') AS job`)).toEqual([{ job: null }]);
    return started;
  });
  const ready = await Promise.all(all.map(({ wrote }) => wrote(/"url":"([^"]+)".*"msg":"ready"/)));
  const answers = await Promise.all(ready.map(([, url]) => fetch(`${url}/health/ready`)));
  expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
  expect(all.map(({ stderr }) => stderr())).toEqual(['', '', '']);
  expect(await fleet.query('SELECT name FROM workspace')).toEqual([{ name: 'default' }]);
  expect(await fleet.query('SELECT kind FROM credit_transaction')).toEqual([{ kind: 'GRANT' }]);
  expect(await fleet.query('SELECT name FROM api_key')).toEqual([{ name: 'ADMIN_API_KEY' }]);
}, 60_000);

/** Starts one that is meant not to come up. Gives what it said, line by line. */
async function refusal(env: Record<string, string>): Promise<{ ending: Ending; lines: string[] }> {
  const refused = spawnLonghaul(env);
  const ending = await refused.ended;
  expect(refused.stdout()).not.toContain('"ready"');
  const lines = refused.stderr().trimEnd().split('\n');
  // No stack trace.
  expect(lines.filter((line) => /^\s+at /.test(line))).toEqual([]);
  return { ending, lines };
}
