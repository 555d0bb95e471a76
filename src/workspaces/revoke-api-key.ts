import { LockMode } from '@mikro-orm/core';
import { type Database, queryableOf } from '../database/database.ts';
import { NotFoundError } from '../errors.ts';
import type { ApiKey } from './api-key.ts';
import { type Actor, byNobody, record } from './audit/record.ts';
import type { Authenticator } from './authenticator.ts';
import { describeKey } from './create-api-key.ts';
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
  by: Actor = byNobody,
): Promise<ApiKey> {
  const key = await database.transactional(async (em) => {
    const found = await em.findOne(ApiKeyEntity, { id: apiKeyId }, { lockMode: LockMode.PESSIMISTIC_WRITE });
    if (found === null) throw new NotFoundError('API key');
    if (found.revokedAt !== null) return found;
    found.revokedAt = new Date();
    const target = { type: 'ApiKey', id: apiKeyId } as const;
    await record(queryableOf(em), { workspaceId: found.workspaceId, action: 'api_key.revoke', by, target, details: describeKey(found) });
    return found;
  });
  authenticator.forget(apiKeyId);
  return key;
}
