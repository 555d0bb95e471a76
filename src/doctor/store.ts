import type { Queryable } from '../database/queryable.ts';
import type { FileId, Store } from '../files/stores/store.ts';
import type { Damage } from './examination.ts';

/** Less of a volume than this is a damage to come. */
const scarcePart = 0.05;

/** Files that are looked for: the newest, so many at once. */
const lookedFor = 1_000;
const atOnce = 50;

/** Whether the store of the files is there, writes, has room, and holds the files that jobs name. */
export async function storeDamages(database: Queryable, store: Store): Promise<Damage[]> {
  const settings = new Map((await database.query<{ name: string; value: string }>('SELECT name, value FROM setting')).map(({ name, value }) => [name, value]));
  const installation = settings.get('installation');
  // Before the first start, nobody has claimed it.
  if (installation === undefined || !settings.has('artifacts_volume')) return [];
  await store.bindToInstallation(installation, { mayClaim: false });
  const space = await store.space();
  const files = await database.query<FileId>(
    `SELECT id, workspace_id AS "workspaceId" FROM artifact WHERE expires_at > now() + interval '1 minute' ORDER BY expires_at DESC LIMIT ${lookedFor}`,
  );
  const missing: FileId[] = [];
  for (let from = 0; from < files.length; from += atOnce) {
    const some = files.slice(from, from + atOnce);
    const found = await Promise.all(some.map((file) => isThere(store, file)));
    missing.push(...some.filter((_, index) => found[index] === false));
  }
  return [
    ...(space !== null && space.freeBytes < space.bytes * scarcePart
      ? [{ what: `${Math.round((100 * space.freeBytes) / space.bytes)} % of it is free`, remedy: 'Make room, or give it more. Below 2 % no job that writes a file is begun.' }]
      : []),
    ...(missing.length > 0
      ? [{
          what: `${missing.length} of the newest ${files.length} result files are gone, for example ${missing[0]?.id ?? ''}`,
          remedy: 'Restore them from a backup, or retry their jobs. Nothing of Longhaul removes a file before it has expired.',
        }]
      : []),
  ];
}

async function isThere(store: Store, file: FileId): Promise<boolean> {
  const opened = await store.open(file).catch(() => null);
  await opened?.close();
  return opened !== null;
}
