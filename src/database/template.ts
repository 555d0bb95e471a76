import { createHash, randomUUID } from 'node:crypto';
import { constants } from 'node:fs';
import { access, cp, mkdir, readdir, readFile, rename, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { silentLog } from '../log.ts';
import { migratePglite } from './migrate/migrate.ts';
import { type Entities, openPglite } from './orm.ts';

/*
 * Creating and migrating an embedded database takes seconds. So a template is made once per version of the migrations and
 * PGlite, and each new DATA_DIR gets a copy.
 */

/** Makes the template of this version if it is missing, and removes those of other versions. */
export async function makeTemplate(cacheFolder: string, entities: Entities): Promise<void> {
  const name = await templateName();
  const template = join(cacheFolder, name);
  if (await exists(template)) return;
  await mkdir(cacheFolder, { recursive: true });
  for (const old of await readdir(cacheFolder)) {
    if (old.startsWith(prefix)) await rm(join(cacheFolder, old), { recursive: true });
  }
  // Rename only a finished template: this may be interrupted, or run twice at once.
  const unfinished = `${template}.${randomUUID()}`;
  const database = await migratePglite(await openPglite(unfinished), entities, silentLog);
  await database.close();
  await rename(unfinished, template).catch(() => rm(unfinished, { recursive: true }));
}

/** Copies the template of this version to a folder that does not exist yet. Returns false if there is no template. */
export async function copyTemplate(cacheFolder: string, target: string): Promise<boolean> {
  const template = join(cacheFolder, await templateName());
  if (!(await exists(template))) return false;
  // Rename only a finished copy: a partial one must not be mistaken for a database.
  const unfinished = `${target}.new`;
  await rm(unfinished, { recursive: true, force: true });
  await cp(template, unfinished, { recursive: true, mode: constants.COPYFILE_FICLONE });
  await rename(unfinished, target);
  return true;
}

const prefix = 'database-';

/** The name changes with every change of the migrations, of what runs them, of orm.ts and of PGlite's version. */
async function templateName(): Promise<string> {
  const folders = ['./migrations/', './migrate/'].map((folder) => fileURLToPath(new URL(folder, import.meta.url)));
  const listed = folders.map(async (folder) => (await readdir(folder)).toSorted().map((file) => join(folder, file)));
  const files = (await Promise.all(listed)).flat();
  const entry = createRequire(import.meta.url).resolve('@electric-sql/pglite');
  const hash = createHash('sha256');
  for (const file of [...files, fileURLToPath(new URL('./orm.ts', import.meta.url)), join(entry, '../../package.json')]) {
    hash.update(await readFile(file));
  }
  return prefix + hash.digest('hex').slice(0, 16);
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
