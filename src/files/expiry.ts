import type { Queryable } from '../database/queryable.ts';
import type { ArtifactStore } from './store.ts';

/** Removes the files that have had their time, and their rows. Every process may do so at the same time. */
export async function removeExpiredFiles(database: Queryable, store: ArtifactStore): Promise<void> {
  for (;;) {
    const expired = await database.query<{ id: string; workspace_id: string }>(
      'SELECT id, workspace_id FROM artifact WHERE expires_at <= now() ORDER BY expires_at LIMIT 100',
    );
    if (expired.length === 0) return;
    // The files go first: a row whose file is gone is found again here.
    for (const { id, workspace_id: workspaceId } of expired) await store.remove(workspaceId, id);
    await database.query('DELETE FROM artifact WHERE id = ANY($1::uuid[])', [expired.map(({ id }) => id)]);
  }
}
