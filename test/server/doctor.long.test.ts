import { expect, onTestFinished, test } from 'vitest';
import { hasFfmpeg } from '../support/media.ts';
import { type Installation, prepareEmptyInstallation, prepareInstallation, spawnLonghaul } from '../support/process.ts';
import { startS3rver } from '../support/s3-servers.ts';

interface Line {
  part?: string;
  sound?: boolean;
  examined?: boolean;
  remedy?: string;
  damages?: number;
  seen?: string;
  msg: string;
}

/** What the doctor writes, as JSON lines, and how it ends. */
async function diagnosis(env: Record<string, string>): Promise<{ code: number | null; lines: Line[]; stderr: string }> {
  const doctor = spawnLonghaul(env, ['doctor']);
  const { code } = await doctor.ended;
  const lines = doctor.stdout().split('\n').filter((line) => line !== '').map((line): Line => JSON.parse(line));
  return { code, lines, stderr: doctor.stderr() };
}

/** The parts that it found sound, and what it found in the others. */
function findings(lines: readonly Line[]): { sound: string[]; skipped: string[]; damages: [part: string, what: string][] } {
  const of = (filter: (line: Line) => boolean) => lines.filter((line) => line.part !== undefined && filter(line));
  for (const { remedy } of of(({ sound }) => sound === false)) expect(remedy).toMatch(/\w/);
  return {
    sound: of(({ sound }) => sound === true).map(({ part = '' }) => part),
    skipped: of(({ examined }) => examined === false).map(({ part = '' }) => part),
    damages: of(({ sound }) => sound === false).map(({ part = '', msg }) => [part, msg]),
  };
}

async function spoil({ query }: Installation): Promise<void> {
  await query(`UPDATE workspace SET credits = credits + 5`);
  await query(`INSERT INTO lease (job_id, workspace_id, token, due_at, started_at, deadline_at, expires_at, attempt, seconds, worker_id)
    SELECT gen_random_uuid(), id, gen_random_uuid(), now(), now(), now(), now(), 1, 30, 'w' FROM workspace`);
  await query(`INSERT INTO artifact (id, workspace_id, job_id, filename, media_type, bytes, sha256, expires_at)
    SELECT gen_random_uuid(), id, gen_random_uuid(), 'a', 'a/b', 1, 'x', now() + interval '1 day' FROM workspace`);
  await query(`INSERT INTO job_total (workspace_id, type, status, jobs) SELECT id, 'preview', 'RUNNING', 2 FROM workspace`);
  await query('DROP INDEX job_retry_index');
}

test('a clean installation is sound; of a damaged one each damage is named, with what to do', async () => {
  const installation = await prepareInstallation();
  const api = await installation.start('api');
  const clean = await diagnosis(installation.env);
  expect(findings(clean.lines)).toEqual({
    sound: ['bus', ...(hasFfmpeg() ? ['ffmpeg'] : []), 'database', 'clock', 'migrations', 'tables', 'secret', 'volume', 'ledger', 'jobs', 'counts', 'sweeps'],
    skipped: hasFfmpeg() ? [] : ['ffmpeg'],
    damages: [],
  });
  expect(clean).toMatchObject({ code: 0, stderr: '' });
  expect(clean.lines.at(-1)).toMatchObject({ damages: 0, msg: 'everything is sound' });

  api.kill('SIGTERM');
  await api.ended;
  await spoil(installation);
  const damaged = await diagnosis({ ...installation.env, REDIS_URL: 'redis://127.0.0.1:1', SECRET: 'another value of more than 32 characters', FFMPEG_PATH: '/nowhere/ffmpeg' });
  expect(findings(damaged.lines).damages).toEqual([
    ['bus', 'no message came back within 3 s'],
    ['ffmpeg', expect.stringMatching(/^FFMPEG_PATH names no program/)],
    ['tables', 'a table is not what the migrations made of it'],
    ['secret', 'it is not the one that this installation was started with'],
    ['volume', expect.stringMatching(/^1 of the newest 1 result files are gone/)],
    ['ledger', expect.stringMatching(/the balance is 10005 and the entries add up to 10000/)],
    ['jobs', expect.stringMatching(/^there is a lease of job \S+, which does not run$/)],
    ['counts', expect.stringMatching(/^workspace \S+, type preview: 0 jobs are RUNNING, and 2 are counted$/)],
  ]);
  expect(findings(damaged.lines).skipped).toEqual(['sweeps']);
  expect(damaged.lines.find(({ part }) => part === 'tables')?.remedy).toContain('job_retry_index');
  expect(damaged.lines.at(-1)).toMatchObject({ damages: 8 });
  expect(damaged.code).toBe(1);

  const remedy = damaged.lines.find(({ part }) => part === 'counts')?.remedy ?? '';
  await installation.query(remedy.slice(remedy.indexOf('INSERT')));
  expect(findings((await diagnosis(installation.env)).lines).sound).toContain('counts');
}, 60_000);

/** What the doctor says of the tables after this was done to them. */
async function tablesAfter(installation: Installation, ...statements: string[]): Promise<{ code: number | null; found: Line[] }> {
  for (const statement of statements) await installation.query(statement);
  const { code, lines } = await diagnosis(installation.env);
  const found = lines.filter(({ part }) => part === 'tables');
  for (const { remedy = '' } of found) expect(remedy).not.toMatch(/drop (table|column|schema|type|view|function)|cascade|truncate|delete/i);
  return { code, found };
}

test('what Longhaul does not know is told and is no damage, and of what is missing beside it nothing is made anew', async () => {
  const installation = await prepareInstallation();
  const others = await tablesAfter(
    installation,
    `CREATE TYPE other_kind AS ENUM ('a')`,
    'CREATE TABLE other_app (id int PRIMARY KEY, kind other_kind, workspace_id uuid REFERENCES workspace)',
    'CREATE VIEW other_view AS SELECT id FROM other_app',
    'CREATE SCHEMA other_schema CREATE TABLE own (id int)',
    'ALTER TABLE job ADD COLUMN remark text',
    'CREATE INDEX own_index ON job (updated_at)',
  );
  expect(others).toMatchObject({
    code: 0,
    found: [{ sound: true, seen: 'beside what Longhaul does not know: the table other_app, the column job.remark, the index own_index' }],
  });

  const renamed = await tablesAfter(installation, 'ALTER TABLE job_log RENAME TO job_log_old');
  expect(renamed).toMatchObject({ code: 1, found: [{ sound: false, msg: 'the table job_log is missing' }] });
  expect(renamed.found[0]?.remedy).toContain('It may have been renamed: beside it is job_log_old, which Longhaul does not know.');
  expect(renamed.found[0]?.remedy).not.toMatch(/create table/i);
  const back = /ALTER TABLE "job_log_old" RENAME TO "job_log";/.exec(renamed.found[0]?.remedy ?? '')?.[0] ?? '';
  expect((await tablesAfter(installation, back)).code).toBe(0);

  const gone = await tablesAfter(installation, 'CREATE TABLE kept AS SELECT * FROM job_log', 'ALTER TABLE job_log RENAME TO lost', 'ALTER TABLE lost DROP COLUMN level');
  expect(gone.found[0]?.remedy).toContain('beside it is kept, which');
  const unlike = await tablesAfter(installation, 'DROP TABLE kept');
  expect(unlike.found[0]?.remedy).toMatch(/^It may have been renamed: beside it is (lost, other_app|other_app, lost), which Longhaul does not know\. If that holds its data, make it what it was\. /);
  await tablesAfter(installation, 'ALTER TABLE lost ADD COLUMN level smallint NOT NULL', 'ALTER TABLE lost RENAME TO job_log');

  const column = await tablesAfter(installation, 'ALTER TABLE job DROP COLUMN remark', 'ALTER TABLE job RENAME COLUMN output TO result');
  expect(column.found).toMatchObject([{ sound: false, msg: 'the column job.output is missing' }]);
  expect(column.found[0]?.remedy).toContain('It may have been renamed: beside it is result, which Longhaul does not know.');
  const backAgain = /ALTER TABLE "job" RENAME COLUMN "result" TO "output";/.exec(column.found[0]?.remedy ?? '')?.[0] ?? '';
  expect((await tablesAfter(installation, backAgain)).code).toBe(0);
}, 120_000);

test('what is missing and what was changed is named, one by one, and the remedies mend it', async () => {
  const installation = await prepareInstallation();
  const spoilt = await tablesAfter(
    installation,
    'DROP TABLE job_log',
    'ALTER TABLE job DROP COLUMN progress_message',
    'ALTER TABLE job ALTER COLUMN output TYPE text',
    'ALTER TABLE job_change ALTER COLUMN attempt DROP NOT NULL',
    'DROP INDEX job_retry_index',
  );
  expect(spoilt.found.map(({ msg }) => msg)).toEqual([
    'the table job_log is missing',
    'the column job.progress_message is missing',
    'the column job.output is not what the migrations made of it (type)',
    'a table is not what the migrations made of it',
    'the column job_change.attempt is not what the migrations made of it (nullable)',
  ]);
  const [table, added, type, index, nullable] = spoilt.found.map(({ remedy = '' }) => remedy);
  expect(type).toBe('It is text now, and was jsonb. Somebody has changed it. Look at its values before you change it back: what does not fit would be lost.');
  const mends = [table, added, index, nullable].map((remedy = '') => remedy.slice(remedy.search(/(create|alter) /)));
  expect((await tablesAfter(installation, ...mends, 'ALTER TABLE job ALTER COLUMN output TYPE jsonb USING output::jsonb')).code).toBe(0);
}, 120_000);

test('a bucket is examined like a volume', async () => {
  const server = await startS3rver();
  onTestFinished(() => server.close());
  const { endpoint, accessKeyId, secretAccessKey } = server.settings;
  const bucket = { ARTIFACTS_URL: 's3://files/jobs', AWS_ENDPOINT_URL: endpoint ?? '', AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey };
  const installation = await prepareInstallation(bucket);
  await installation.start('api');
  expect(findings((await diagnosis(installation.env)).lines)).toMatchObject({ damages: [], sound: expect.arrayContaining(['volume']) });
  await installation.query(`INSERT INTO artifact (id, workspace_id, job_id, name, position, filename, media_type, bytes, sha256, expires_at)
    SELECT gen_random_uuid(), id, gen_random_uuid(), 'file', 0, 'a', 'a/b', 1, 'x', now() + interval '1 day' FROM workspace LIMIT 1`);
  expect(findings((await diagnosis(installation.env)).lines).damages).toEqual([['volume', expect.stringMatching(/^1 of the newest 1 result files are gone/)]]);
  const wrong = await diagnosis({ ...installation.env, ARTIFACTS_URL: 's3://files/others', AWS_SECRET_ACCESS_KEY: secretAccessKey });
  expect(findings(wrong.lines).damages).toEqual([['volume', expect.stringMatching(/does not hold the files of this installation/)]]);
  expect(wrong.lines.find(({ part }) => part === 'volume')?.remedy).toContain('ARTIFACTS_URL');
}, 60_000);

test('an empty database, one that is away, and no configuration', async () => {
  const empty = await prepareEmptyInstallation();
  const found = await diagnosis(empty.env);
  expect(findings(found.lines).skipped).toEqual(['tables', 'secret', 'volume', 'ledger', 'jobs', 'counts', 'sweeps']);
  expect(findings(found.lines).damages).toEqual([['migrations', expect.stringMatching(/^\d+ steps of migrations are pending/)]]);
  const away = await diagnosis({ ...empty.env, DATABASE_URL: 'postgres://postgres@127.0.0.1:1/none' });
  expect(findings(away.lines).damages).toMatchObject([['database', expect.stringContaining('127.0.0.1')]]);
  expect(away.code).toBe(1);
  const nothing = await diagnosis({ DATABASE_URL: empty.databaseUrl });
  expect(nothing).toMatchObject({ code: 2, stderr: expect.stringContaining('SECRET') });
}, 60_000);
