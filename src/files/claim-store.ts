import type { Database } from '../database/database.ts';
import { newId } from '../database/ids.ts';
import { firstSetting } from '../database/setting.ts';
import type { Store } from './stores/store.ts';

/**
 * Claims the store for this installation on its first start, and verifies on later starts that it is still the same. If two
 * processes start for the first time together, they take turns on the setting's row, and the second one verifies.
 *
 * @throws Error that says what to change.
 */
export async function claimStore(database: Database, store: Store, installationId: string): Promise<void> {
  await database.transactional(async (em) => {
    const claim = newId();
    const first = (await firstSetting(em, 'artifacts_volume', claim)) === claim;
    await store.bindToInstallation(installationId, { mayClaim: first });
  });
}
