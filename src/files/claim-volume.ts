import type { Database } from '../database/database.ts';
import type { ArtifactStore } from './store.ts';

/**
 * Makes ARTIFACTS_DIR this installation's volume on its first start, and later makes sure that it still is. Two
 * processes that start together for the first time take turns on the setting's row, so that the second compares.
 *
 * @throws Error with a readable reason.
 */
export async function claimVolume(database: Database, store: ArtifactStore, installationId: string): Promise<void> {
  await database.transaction(async (transaction) => {
    const made = await transaction.query(
      `INSERT INTO setting (name, value) VALUES ('artifacts_volume', 'claimed') ON CONFLICT DO NOTHING RETURNING name`,
    );
    await store.bindToInstallation(installationId, { mayClaim: made.length > 0 });
  });
}
