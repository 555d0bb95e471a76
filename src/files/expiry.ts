import { type EntityManager, raw } from '@mikro-orm/core';
import { ArtifactEntity } from './artifact-entity.ts';
import type { Queryable } from '../database/queryable.ts';
import type { Store } from './stores/store.ts';

/** Removes expired files and their rows. Processes may run it concurrently. */
export async function removeExpiredFiles(em: EntityManager, store: Store): Promise<void> {
  for (;;) {
    const past = { expiresAt: { $lte: raw('now()') } };
    const expired = await em.find(ArtifactEntity, past, { orderBy: { expiresAt: 'ASC' }, limit: 100, disableIdentityMap: true });
    if (expired.length === 0) return;
    // Delete the files first. If the process dies in between, the next run still finds the rows.
    await Promise.all(expired.map(({ id, workspaceId }) => store.remove({ workspaceId, id }, null)));
    await em.nativeDelete(ArtifactEntity, { id: { $in: expired.map(({ id }) => id) } });
  }
}

/** How many expired files are not removed yet: at most 100,000. */
export async function countExpiredFiles(database: Queryable): Promise<number> {
  const [row] = await database.query<{ files: number }>(
    'SELECT count(*)::int AS files FROM (SELECT FROM artifact WHERE expires_at <= now() LIMIT 100000) AS expired',
  );
  return row?.files ?? 0;
}
