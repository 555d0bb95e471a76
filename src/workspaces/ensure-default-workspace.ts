import type { SqlEntityManager } from '@mikro-orm/sql';
import { newId } from '../database/ids.ts';
import { type Database, queryableOf } from '../database/database.ts';
import { firstSetting } from '../database/setting.ts';
import { type ApiKey, hashSecret, newSecret } from './api-key.ts';
import { type AuditAction, byNobody, record } from './audit/record.ts';
import { addApiKey, describeKey } from './create-api-key.ts';
import { addWorkspace } from './create-workspace.ts';
import { defaultWorkspaceSetting } from './default-workspace.ts';
import { ApiKeyEntity } from './entities.ts';
import { scopes } from './scope.ts';
import type { WebhookSecrets } from './webhook-secrets.ts';

/** The name of the key that ADMIN_API_KEY sets. */
const configuredKeyName = 'ADMIN_API_KEY';

/** The name of the key that the first start generates. */
const generatedKeyName = 'admin';

interface DefaultWorkspace {
  workspaceId: string;
  /** The admin key if this start generated one. The caller prints it once. */
  madeKey: string | null;
  /** Whether ADMIN_API_KEY names a key that was revoked. It stays revoked. */
  isRevoked: boolean;
}

/**
 * On the first start, creates the workspace `default` with an admin key. On every start, makes the key in ADMIN_API_KEY
 * known, and revokes the one that it set before and the one that the first start generated.
 */
export async function ensureDefaultWorkspace(
  { database, webhookSecrets }: { database: Database; webhookSecrets: WebhookSecrets },
  options: { adminApiKey: string | null; initialCredits: number },
): Promise<DefaultWorkspace> {
  return database.transactional(async (em) => {
    // If two processes start together, the second waits here for the first.
    const id = newId();
    const workspaceId = await firstSetting(em, defaultWorkspaceSetting, id);
    const first = workspaceId === id;
    const made = { id, name: 'default', credits: options.initialCredits, concurrencyLimit: null, paused: false };
    if (first) await addWorkspace(em, webhookSecrets, made);
    if (options.adminApiKey !== null) {
      return { workspaceId, madeKey: null, isRevoked: !(await putInForce(em, workspaceId, options.adminApiKey)) };
    }
    if (!first) return { workspaceId, madeKey: null, isRevoked: false };
    const madeKey = newSecret('NATIVE');
    await note(em, 'api_key.create', addApiKey(em, { workspaceId, name: generatedKeyName, scopes, dialect: 'NATIVE', secret: madeKey }));
    return { workspaceId, madeKey, isRevoked: false };
  });
}

/** Returns false, and changes nothing, if the key was revoked: whoever has found an old configuration must not get it back. */
async function putInForce(em: SqlEntityManager, workspaceId: string, secret: string): Promise<boolean> {
  const hash = hashSecret(secret);
  const known = await em.findOne(ApiKeyEntity, { workspaceId, hash });
  if (known !== null && known.revokedAt !== null) return false;
  // The generated key is the first of the workspace. A later one of the same name is somebody's own.
  const [oldest] = await em.find(ApiKeyEntity, { workspaceId }, { orderBy: { id: 'ASC' }, limit: 1 });
  const others = await em.find(ApiKeyEntity, { workspaceId, name: configuredKeyName, hash: { $ne: hash }, revokedAt: null });
  const generated = oldest?.name === generatedKeyName && oldest !== known && oldest.revokedAt === null ? [oldest] : [];
  for (const key of [...others, ...generated]) {
    key.revokedAt = new Date();
    await note(em, 'api_key.revoke', key);
  }
  if (known === null) await note(em, 'api_key.create', addApiKey(em, { workspaceId, name: configuredKeyName, scopes, dialect: 'NATIVE', secret }));
  return true;
}

/** A start is nobody's with a key. */
async function note(em: SqlEntityManager, action: AuditAction, key: ApiKey): Promise<void> {
  const { id, workspaceId } = key;
  await record(queryableOf(em), { workspaceId, action, by: byNobody, target: { type: 'ApiKey', id }, details: { ...describeKey(key), cause: 'start' } });
}
