import type { Database } from '../database/database.ts';
import { NotFoundError } from '../errors.ts';
import type { ApiKey } from './api-key.ts';
import type { Authenticator } from './authenticator.ts';
import { ApiKeyEntity } from './entities.ts';

/**
 * Revokes a key for good, on every process at once. Revoking it again changes nothing.
 *
 * @throws NotFoundError
 */
export async function revokeApiKey(
  database: Database,
  authenticator: Authenticator,
  apiKeyId: string,
): Promise<ApiKey> {
  const em = database.em();
  const key = await em.findOne(ApiKeyEntity, { id: apiKeyId });
  if (key === null) throw new NotFoundError('API key');
  key.revokedAt ??= new Date();
  await em.flush();
  authenticator.forget(apiKeyId);
  return key;
}
