import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { adoptPglite } from '../../src/database/open.ts';
import { openPglite } from '../../src/database/orm.ts';
import { copyTemplate, makeTemplate } from '../../src/database/template.ts';
import { silentLog } from '../../src/log.ts';
import { cacheFolder } from '../../src/server/cache-folder.ts';
import { entities } from '../../src/server/entities.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** An archive of a migrated PGlite's folder. Loading it takes a sixth of the time of migrating a new one. */
    pgliteTemplate: string;
    /** A migrated Postgres database to copy. */
    databaseTemplate: string;
  }
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const folder = await mkdtemp(join(tmpdir(), 'longhaul-template-'));
  // The template that `npm ci` has made, or makes it: the processes that tests start copy it, too.
  await makeTemplate(cacheFolder, entities);
  const database = join(folder, 'database');
  await copyTemplate(cacheFolder, database);
  const pglite = await openPglite(database);
  const opened = await adoptPglite(pglite, entities, silentLog);
  await opened.database.hot.query(`DELETE FROM setting WHERE name NOT LIKE 'migration %'`);
  const archive = await pglite.dumpDataDir('none');
  const path = join(folder, 'pglite.tar');
  await writeFile(path, Buffer.from(await archive.arrayBuffer()));
  await opened.close();
  project.provide('pgliteTemplate', path);
  return () => rm(folder, { recursive: true, force: true });
}
