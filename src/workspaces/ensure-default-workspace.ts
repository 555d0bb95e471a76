import type { EntityManager } from '@mikro-orm/core';
import { newId } from '../database/ids.ts';
import type { Database } from '../database/database.ts';
import { firstSetting } from '../database/setting.ts';
import { hashSecret, newSecret } from './api-key.ts';
import { addApiKey } from './create-api-key.ts';
import { addWorkspace } from './create-workspace.ts';
import { defaultWorkspaceSetting } from './default-workspace.ts';
import { ApiKeyEntity } from './entities.ts';
import { scopes } from './scope.ts';

/** The name of the key that ADMIN_API_KEY sets. */
const configuredKeyName = 'ADMIN_API_KEY';

/**
 * On the first start, creates the workspace `default` with an admin key. On every start, activates the key in
 * ADMIN_API_KEY and revokes the key that it set before.
 *
 * @returns the admin key if one was just generated. The caller prints it once.
 */
export async function ensureDefaultWorkspace(
  database: Database,
  options: { adminApiKey: string | null; initialCredits: number },
): Promise<{ workspaceId: string; madeKey: string | null }> {
  return database.transactional(async (em) => {
    // If two processes start together, the second waits here for the first.
    const id = newId();
    const workspaceId = await firstSetting(em, defaultWorkspaceSetting, id);
    const first = workspaceId === id;
    if (first) await addWorkspace(em, { id, name: 'default', credits: options.initialCredits, concurrencyLimit: null });
    if (options.adminApiKey !== null) {
      await putInForce(em, workspaceId, options.adminApiKey);
      return { workspaceId, madeKey: null };
    }
    if (!first) return { workspaceId, madeKey: null };
    const madeKey = newSecret('NATIVE');
    addApiKey(em, { workspaceId, name: 'admin', scopes, dialect: 'NATIVE', secret: madeKey });
    return { workspaceId, madeKey };
  });
}

async function putInForce(em: EntityManager, workspaceId: string, secret: string): Promise<void> {
  const hash = hashSecret(secret);
  const others = { workspaceId, name: configuredKeyName, hash: { $ne: hash }, revokedAt: null };
  for (const key of await em.find(ApiKeyEntity, others)) key.revokedAt = new Date();
  const known = await em.findOne(ApiKeyEntity, { workspaceId, hash });
  if (known === null) addApiKey(em, { workspaceId, name: configuredKeyName, scopes, dialect: 'NATIVE', secret });
  else known.revokedAt = null;
}
