import type { Queryable } from '../database/queryable.ts';
import type { ArtifactStore } from './store.ts';

/** Removes expired files and their rows. Processes may run it concurrently. */
export async function removeExpiredFiles(database: Queryable, store: ArtifactStore): Promise<void> {
  for (;;) {
    const expired = await database.query<{ id: string; workspace_id: string }>(
      'SELECT id, workspace_id FROM artifact WHERE expires_at <= now() ORDER BY expires_at LIMIT 100',
    );
    if (expired.length === 0) return;
    // Delete the files first. If the process dies in between, the next run still finds the rows.
    for (const { id, workspace_id: workspaceId } of expired) await store.remove(workspaceId, id);
    await database.query('DELETE FROM artifact WHERE id = ANY($1::uuid[])', [expired.map(({ id }) => id)]);
  }
}
