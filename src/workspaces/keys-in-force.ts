import type { Queryable } from '../database/queryable.ts';

/** SQL: a row where this key is revoked; none for NULL, which is nobody's key. */
export function sqlRevoked(apiKeyId: string): string {
  return `SELECT FROM api_key WHERE api_key.id = ${apiKeyId} AND api_key.revoked_at IS NOT NULL`;
}

/** Which of these keys are not revoked, in any workspace. */
export async function keysInForce(database: Queryable, apiKeyIds: Iterable<string>): Promise<ReadonlySet<string>> {
  const rows = await database.query<{ id: string }>(
    'SELECT id FROM api_key WHERE id = ANY($1::uuid[]) AND revoked_at IS NULL',
    [[...apiKeyIds]],
  );
  return new Set(rows.map(({ id }) => id));
}
