import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { expect, onTestFinished, test, vi } from 'vitest';
import { sql } from '../../src/database/migrate/step.ts';
import type { Log } from '../../src/log.ts';
import { makeThings, migrateThings, rowCount } from '../support/migrating.ts';
import { makeOwnDatabase, type OwnDatabase } from '../support/own-database.ts';

/** What a process that migrates has written to its log. */
interface Migrating {
  lines(): string;
  wrote(pattern: RegExp): Promise<void>;
  kill(): Promise<void>;
  ended: Promise<unknown>;
}

function startMigrating({ url }: OwnDatabase): Migrating {
  const script = fileURLToPath(new URL('../support/migrating.ts', import.meta.url));
  const child: ChildProcess = spawn(process.execPath, [script, url], { stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  const ended = once(child, 'close').then(() => child.exitCode);
  const kill = async () => {
    child.kill('SIGKILL');
    await ended;
  };
  onTestFinished(kill);
  return {
    lines: () => output,
    wrote: (pattern) => vi.waitFor(() => expect(output).toMatch(pattern), { timeout: 20_000, interval: 10 }),
    kill,
    ended,
  };
}

/** Opens a transaction; it ends with the call that it gives. */
async function open({ url }: OwnDatabase, statement: string): Promise<() => Promise<void>> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  let ended: Promise<void> | null = null;
  const end = () => (ended ??= client.query('ROLLBACK').then(() => client.end()));
  onTestFinished(end);
  await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ');
  await client.query(statement);
  return end;
}

function recorder(): { log: Log; lines: string[] } {
  const lines: string[] = [];
  const write = (_fields: object, message: string) => void lines.push(message);
  return { lines, log: { debug: write, info: write, warn: write, error: write } };
}

async function expectDone(own: OwnDatabase): Promise<void> {
  expect(await own.sql('SELECT name FROM mikro_orm_migrations ORDER BY id')).toEqual([{ name: 'make-things' }, { name: 'many-steps' }]);
  expect(await own.sql('SELECT count(*)::int, count(*) FILTER (WHERE double = 2 * size)::int AS right FROM thing')).toEqual([
    { count: rowCount, right: rowCount },
  ]);
  expect(await own.sql(`SELECT indisvalid AS valid FROM pg_index WHERE indexrelid = 'thing_size_index'::regclass`)).toEqual([{ valid: true }]);
  expect(await own.sql(`SELECT attnotnull AS required FROM pg_attribute WHERE attrelid = 'thing'::regclass AND attname = 'double'`)).toEqual([
    { required: true },
  ]);
  expect(await own.sql(`SELECT conname FROM pg_constraint WHERE conrelid = 'thing'::regclass AND contype = 'c'`)).toEqual([]);
  expect(await own.sql('SELECT name FROM setting')).toEqual([]);
}

test('a migration names each step in the log, and how far it is', async () => {
  const own = await makeOwnDatabase();
  const { log, lines } = recorder();
  await migrateThings(own.url, log);
  await expectDone(own);
  const text = lines.join('\n');
  expect(text).toMatch(/migration make-things, step 1 of 1 'the tables'/);
  expect(text).toMatch(/migration many-steps, step 1 of 5 'backfill thing.double'\n/);
  expect(text).toMatch(/migration many-steps, step 1 of 5 'backfill thing.double': 5,000 rows, 100 %/);
  expect(text).toMatch(/migration many-steps: done after \d/);
});

test('a backfill that is killed goes on where it was, and changes each row once', async () => {
  const own = await makeOwnDatabase();
  // Whoever holds this row stops the backfill at its batch.
  await migrateThings(own.url, recorder().log, [makeThings]);
  const release = await open(own, `SELECT FROM thing WHERE place = 3005 FOR UPDATE`);
  const first = startMigrating(own);
  await first.wrote(/'backfill thing.double': another transaction holds a lock \(.*pid \d+/);
  await first.wrote(/'backfill thing.double': [\d,]+ rows, \d\d %/);
  await first.kill();
  const [before] = await own.sql('SELECT count(double)::int AS count FROM thing');
  expect(before?.['count']).toBeGreaterThan(0);
  expect(before?.['count']).toBeLessThan(rowCount);
  await release();
  const second = startMigrating(own);
  expect(await second.ended).toBe(0);
  expect(second.lines().replaceAll(',', '')).toContain(`'backfill thing.double': goes on after ${String(before?.['count'])} rows`);
  await expectDone(own);
});

test('an index whose making was killed with its connection is made again', async () => {
  const own = await makeOwnDatabase();
  // An index that is made concurrently waits in the end for every snapshot that is older.
  const stop = await open(own, 'SELECT 1');
  const first = startMigrating(own);
  await first.wrote(/'index thing_size_index': waiting/);
  await first.kill();
  await own.sql(`SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE query ILIKE 'create unique index%' AND datname = current_database()`);
  expect(await own.sql(`SELECT indisvalid AS valid FROM pg_index WHERE indexrelid = 'thing_size_index'::regclass`)).toEqual([{ valid: false }]);
  await stop();
  const second = startMigrating(own);
  expect(await second.ended).toBe(0);
  expect(second.lines()).toContain(`'index thing_size_index': it was left unfinished, and is made again`);
  await expectDone(own);
});

test('while the connection of a killed process still makes an index, the next process waits and says so', async () => {
  const own = await makeOwnDatabase();
  const release = await open(own, 'SELECT 1');
  const first = startMigrating(own);
  await first.wrote(/'index thing_size_index': waiting/);
  await first.kill();
  const second = startMigrating(own);
  await second.wrote(/another process migrates the database; waiting for it/);
  await release();
  expect(await second.ended).toBe(0);
  expect(second.lines()).not.toContain('made again');
  await expectDone(own);
});

test('while a long reader is in the way of a step, others go on, and the step is done when the reader has ended', async () => {
  const own = await makeOwnDatabase();
  await migrateThings(own.url, recorder().log, [makeThings]);
  const release = await open(own, 'SELECT FROM thing LIMIT 1');
  const { log, lines } = recorder();
  const column = { name: 'column', oldestVersion: null, steps: [sql('the column', 'alter table "thing" add column "colour" text null')] };
  const migrating = migrateThings(own.url, log, [makeThings, column]);
  await vi.waitFor(() => expect(lines.join('\n')).toMatch(/'the column': another transaction holds a lock/), { timeout: 20_000 });
  for (let n = 1; n <= 20; n += 1) await own.sql(`INSERT INTO thing VALUES (gen_random_uuid(), ${n}, ${n})`);
  expect(await own.sql('SELECT count(*)::int FROM mikro_orm_migrations')).toEqual([{ count: 1 }]);
  await release();
  await migrating;
  expect(await own.sql('SELECT count(colour)::int FROM thing')).toEqual([{ count: 0 }]);
});

test('a step that fails is named, and what it has done is undone', async () => {
  const own = await makeOwnDatabase();
  const faulty = {
    name: 'faulty',
    oldestVersion: null,
    steps: [sql('fine', 'alter table "thing" add column "a" int'), sql('wrong', 'alter table "thing" add column "b" int', 'select 1 / 0')],
  };
  await expect(migrateThings(own.url, recorder().log, [makeThings, faulty])).rejects.toThrow(
    "migration faulty, step 2 of 2 'wrong': division by zero",
  );
  expect(await own.sql(`SELECT attname AS name FROM pg_attribute WHERE attrelid = 'thing'::regclass AND attnum > 4`)).toEqual([{ name: 'a' }]);
  const [fine = sql('')] = faulty.steps;
  const mended = { name: 'faulty', oldestVersion: null, steps: [fine, sql('right', 'alter table "thing" add column "b" int')] };
  await migrateThings(own.url, recorder().log, [makeThings, mended]);
  expect(await own.sql('SELECT a, b FROM thing LIMIT 1')).toEqual([{ a: null, b: null }]);
});
