import { createHmac, randomBytes } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Database } from '../database/database.ts';
import { firstSetting, SettingEntity } from '../database/setting.ts';
import type { Log } from '../log.ts';

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
 * Warns if SECRET differs from the one that the last process started with. While two are in use, cursors, tokens and
 * download URLs fail at random. After a change, existing ones fail.
 */
export async function warnOfAnotherSecret(database: Database, secret: string, log: Log): Promise<void> {
  const mark = createHmac('sha256', secret).update('longhaul secret mark').digest('hex').slice(0, 16);
  const em = database.em();
  const name = 'secret_mark';
  if ((await firstSetting(em, name, mark)) === mark) return;
  await em.nativeUpdate(SettingEntity, { name }, { value: mark });
  log.warn(
    {},
    'SECRET differs from the one that this installation was last started with. Cursors, tokens and download URLs made with the other one do not work here. Give every process the same SECRET.',
  );
}
