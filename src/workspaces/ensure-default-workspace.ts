import { newId } from '../database/ids.ts';
import type { Database } from '../database/database.ts';
import type { Queryable } from '../database/queryable.ts';
import { hashSecret, newSecret } from './api-key.ts';
import { insertApiKey } from './create-api-key.ts';
import { insertWorkspace } from './create-workspace.ts';
import { defaultWorkspaceId, defaultWorkspaceSetting } from './default-workspace.ts';
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
  const id = newId();
  return database.transaction(async (transaction) => {
    // If two processes start together, the second waits here for the first and then finds the setting.
    const made = await transaction.query(
      'INSERT INTO setting (name, value) VALUES ($1, $2) ON CONFLICT DO NOTHING RETURNING name',
      [defaultWorkspaceSetting, id],
    );
    const first = made.length > 0;
    if (first) {
      await insertWorkspace(transaction, {
        id,
        name: 'default',
        credits: options.initialCredits,
        concurrencyLimit: null,
      });
    }
    const workspaceId = first ? id : await defaultWorkspaceId(transaction);
    if (options.adminApiKey !== null) {
      await putInForce(transaction, workspaceId, options.adminApiKey);
      return { workspaceId, madeKey: null };
    }
    if (!first) return { workspaceId, madeKey: null };
    const madeKey = newSecret('NATIVE');
    await insertApiKey(transaction, { workspaceId, name: 'admin', scopes, dialect: 'NATIVE', secret: madeKey });
    return { workspaceId, madeKey };
  });
}

async function putInForce(transaction: Queryable, workspaceId: string, secret: string): Promise<void> {
  const hash = hashSecret(secret);
  await transaction.query(
    `UPDATE api_key SET revoked_at = now()
     WHERE workspace_id = $1 AND name = $2 AND hash <> $3 AND revoked_at IS NULL`,
    [workspaceId, configuredKeyName, hash],
  );
  const [known] = await transaction.query(
    'UPDATE api_key SET revoked_at = NULL WHERE workspace_id = $1 AND hash = $2 RETURNING id',
    [workspaceId, hash],
  );
  if (known !== undefined) return;
  const key = { workspaceId, name: configuredKeyName, scopes, dialect: 'NATIVE', secret } as const;
  await insertApiKey(transaction, key);
}
