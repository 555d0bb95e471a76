import { randomBytes } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { expect, onTestFinished, test } from 'vitest';
import { backend } from '../support/longhaul.ts';
import { type Ending, type Installation, prepareEmptyInstallation, spawnLonghaul, startProcess, testFolder } from '../support/process.ts';

interface Ran {
  ending: Ending;
  stdout: string;
  stderr: string;
}

/** Runs a command to its end. */
async function run(env: Record<string, string>, ...command: string[]): Promise<Ran> {
  const child = spawnLonghaul(env, command);
  const ending = await child.ended;
  return { ending, stdout: child.stdout(), stderr: child.stderr() };
}

/** A migration of a later version, as it is recorded. */
function later(oldestVersion: string, place: object | null): string {
  return `INSERT INTO setting VALUES ('migration 2100-01-01-later', '${JSON.stringify({ oldestVersion, place })}')`;
}

/** An installation whose database is empty, or not there yet. */
async function empty(): Promise<{ env: Record<string, string>; installation: Installation | null }> {
  if (backend === 'embedded') return { env: { DATA_DIR: await testFolder() }, installation: null };
  const installation = await prepareEmptyInstallation();
  return { env: installation.env, installation };
}

test('a dry run prints the SQL and changes nothing; migrate does it and ends; then nothing is pending', async () => {
  const { env, installation } = await empty();
  const before = await run(env, 'migrate', '--dry-run');
  expect(before.ending.code, before.stderr).toBe(2);
  expect(before.stdout).toMatch(/^-- migration 2026-11-22-initial, step 1 of 1 'everything'\ncreate table "setting"/);
  if (installation === null) expect(await readdir(env['DATA_DIR'] ?? '')).toEqual([]);
  else expect(await installation.query(`SELECT FROM pg_tables WHERE schemaname = 'public'`)).toEqual([]);

  const migrating = await run(env, 'migrate');
  expect(migrating.ending.code, migrating.stderr).toBe(0);
  const lines = migrating.stdout.trimEnd().split('\n').map((line) => JSON.parse(line));
  expect(lines.at(-1)).toMatchObject({ msg: 'the database is up to date' });

  const after = await run(env, 'migrate', '--dry-run');
  expect(after).toMatchObject({ ending: { code: 0 }, stdout: 'Nothing is pending.\n' });
}, 120_000);

test('a command or an option that is not there is told', async () => {
  expect(await run({}, 'migrat')).toMatchObject({ ending: { code: 2 }, stderr: expect.stringMatching(/^error: unknown command 'migrat'\n\(Did you mean migrate\?\)\n/) });
  const { ending, stderr } = await run({ DATA_DIR: await testFolder() }, 'migrate', '--dry');
  expect(ending.code).toBe(1);
  expect(stderr).toMatch(/^error: unknown option '--dry'\n\(--help tells more\)\n/);
}, 120_000);

test.runIf(backend === 'servers')('a database that is newer than the program is refused in one line, unless its oldest version is not above this one', async () => {
  const installation = await prepareEmptyInstallation();
  await run(installation.env, 'migrate');
  const refusal = /^ {2}The database is newer than this version of Longhaul, which does not know its migrations 2100-01-01-later: start the (.*), or a later one\.\n$/;
  const begun = { migration: '2100-01-01-later', step: 1, after: null, rows: 0 };
  const kinds: { change: string; command: string[]; needed: string }[] = [
    { change: `INSERT INTO mikro_orm_migrations (name) VALUES ('2100-01-01-later')`, command: ['migrate'], needed: 'version that made them' },
    { change: `INSERT INTO setting VALUES ('migration', '${JSON.stringify(begun)}')`, command: [], needed: 'version that made them' },
    { change: later('0.21.0', null), command: [], needed: 'version 0.21.0' },
    { change: later('100.0.0', begun), command: ['migrate', '--dry-run'], needed: 'version 100.0.0' },
  ];
  for (const { change, command, needed } of kinds) {
    await installation.query(change);
    const { ending, stderr } = await run(installation.env, ...command);
    expect(ending.code).toBe(1);
    expect(refusal.exec(stderr.split('\n').slice(1).join('\n'))?.[1]).toBe(needed);
    await installation.query(`DELETE FROM mikro_orm_migrations WHERE name = '2100-01-01-later'`);
    await installation.query(`DELETE FROM setting WHERE name IN ('migration', 'migration 2100-01-01-later')`);
  }
  await installation.query(later('0.2.0', begun));
  await startProcess(installation.env);
}, 120_000);

test.runIf(backend === 'servers')('a role that may not migrate is told so, and starts after someone else has migrated', async () => {
  const installation = await prepareEmptyInstallation();
  const role = `longhaul_test_${randomBytes(6).toString('hex')}`;
  const password = randomBytes(12).toString('hex');
  await installation.query(`CREATE ROLE ${role} LOGIN PASSWORD '${password}'`);
  onTestFinished(async () => {
    await installation.query(`DROP OWNED BY ${role}`);
    await installation.query(`DROP ROLE ${role}`);
  });
  const url = Object.assign(new URL(installation.databaseUrl), { username: role, password }).href;
  const env = { ...installation.env, DATABASE_URL: url };
  const refused = await run(env);
  expect(refused.ending.code).toBe(1);
  expect(refused.stderr).toMatch(
    /^Longhaul cannot start:\n {2}DATABASE_URL: the database is older than this version of Longhaul \(pending: 2026-11-22-initial, .*\), and the role \w+ may not change it\. Let .* run `npm run migrate`, or, .*\n$/,
  );
  await run(installation.env, 'migrate');
  await installation.query(`GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO ${role}`);
  await startProcess(env);
}, 120_000);
