import { createHmac, randomBytes } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Database } from '../database/database.ts';
import { firstSetting, SettingEntity } from '../database/setting.ts';
import type { Secrets } from '../secrets.ts';

/** The setting that tells the value that this installation signs with, without giving it away. */
const name = 'secret_mark';

/** What is left where the old value is lost. */
export const lostSecretRemedy =
  "If the old one is lost, delete the row 'secret_mark' from the table setting: links, tokens and cursors that are out then end, " +
  'and each workspace has to rotate its webhook secret.';

/** Reads the secret from DATA_DIR; creates it on first start. Only for the embedded database: servers require SECRET. */
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
 * Refuses a SECRET without the value that this installation signs with: cursors, tokens, download URLs and webhook secrets
 * would all be lost. The first value becomes the one that it signs with.
 *
 * @throws Error with a readable reason
 */
export async function adoptSecrets(database: Database, secrets: Secrets): Promise<void> {
  const marks = marksOf(secrets);
  const em = database.em();
  const adopted = await firstSetting(em, name, marks[0]);
  if (adopted !== marks[0] && marks.includes(adopted)) await em.nativeUpdate(SettingEntity, { name, value: adopted }, { value: marks[0] });
  if (marks.includes(adopted)) return;
  throw new Error(
    'SECRET is not the one that this installation was started with. Set SECRET to the old value, or to both, NEW,OLD, to change it.\n' + lostSecretRemedy,
  );
}

/** The secret in DATA_DIR; null if there is none. Changes nothing. */
export function readKeptSecret(dataDir: string): Promise<string | null> {
  return readFile(join(dataDir, 'secret'), 'utf8').then((text) => text.trim(), () => null);
}

/** Whether the installation signs with one of these. Before its first start it signs with any. Changes nothing. */
export async function isSignedWith(database: Database, secrets: Secrets): Promise<boolean> {
  const adopted = await database.em().findOne(SettingEntity, { name });
  return adopted === null || marksOf(secrets).includes(adopted.value);
}

function marksOf(secrets: Secrets): [string, ...string[]] {
  return secrets.map((value) => createHmac('sha256', value).update('longhaul secret mark').digest('hex').slice(0, 16));
}
