import type { Database } from '../database/database.ts';
import { NotFoundError } from '../errors.ts';
import { type ApiKey, apiKeyColumns, apiKeyFromRow, type ApiKeyRow } from './api-key.ts';
import type { Authenticator } from './authenticator.ts';

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
  const [row] = await database.reads.query<ApiKeyRow>(
    `UPDATE api_key SET revoked_at = coalesce(revoked_at, now()) WHERE id = $1 RETURNING ${apiKeyColumns}`,
    [apiKeyId],
  );
  if (row === undefined) throw new NotFoundError('API key');
  authenticator.forget(apiKeyId);
  return apiKeyFromRow(row);
}
