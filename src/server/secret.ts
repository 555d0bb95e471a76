import { createHmac, randomBytes } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Database } from '../database/database.ts';
import type { Log } from '../log.ts';

/** The secret that this installation keeps for itself in DATA_DIR, made on first start. Only embedded: see SECRET. */
export async function keptSecret(dataDir: string): Promise<string> {
  const path = join(dataDir, 'secret');
  try {
    await writeFile(path, `${randomBytes(48).toString('base64')}\n`, { flag: 'wx', mode: 0o600 });
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
  }
  return (await readFile(path, 'utf8')).trim();
}

/**
 * Says so where this process has another SECRET than the one that started before it: with two in use at once, cursors,
 * tokens and download URLs fail at random; after a change, those that are out do.
 */
export async function warnOfAnotherSecret(database: Database, secret: string, log: Log): Promise<void> {
  const mark = createHmac('sha256', secret).update('longhaul secret mark').digest('hex').slice(0, 16);
  const [before] = await database.reads.query<{ value: string }>(
    `WITH before AS (SELECT value FROM setting WHERE name = 'secret_mark'), noted AS (
       INSERT INTO setting (name, value) VALUES ('secret_mark', $1)
       ON CONFLICT (name) DO UPDATE SET value = excluded.value
     )
     SELECT value FROM before`,
    [mark],
  );
  if (before === undefined || before.value === mark) return;
  log.warn(
    {},
    'SECRET is not the one that this installation was last started with: cursors, tokens and download URLs made with the other do not work here. Every process needs the same one.',
  );
}
