import { z } from 'zod';
import { newId } from '../database/ids.ts';
import type { Database } from '../database/database.ts';
import type { Queryable } from '../database/queryable.ts';
import { sqlState } from '../database/unavailable.ts';
import { NotFoundError, ValidationError } from '../errors.ts';
import { parseInput } from '../input.ts';
import { type ApiKey, apiKeyColumns, apiKeyFromRow, type ApiKeyRow, hashSecret, newSecret, shownPrefix } from './api-key.ts';
import { defaultWorkspaceId } from './default-workspace.ts';
import { type Dialect, dialects } from './dialect.ts';
import { type Scope, scopes } from './scope.ts';

const request = z.object({
  workspaceId: z.guid(),
  name: z.string().min(1).max(200),
  scopes: z.array(z.enum(scopes)).min(1),
  dialect: z.enum(dialects).nullish(),
  secret: z
    .string()
    .min(16)
    .max(200)
    .regex(/^[\x21-\x7e]+$/, { error: 'must be visible ASCII characters without spaces: it travels in a header' })
    .nullish(),
});

export interface ApiKeyRequest {
  workspaceId: string;
  /** 1 to 200 characters. */
  name: string;
  /** At least one. WORK_ALL and ADMIN only in the workspace `default`. */
  scopes: Scope[];
  /** NATIVE where not given. */
  dialect?: Dialect | null | undefined;
  /** An existing key to import, 16 to 200 visible ASCII characters; made where not given. */
  secret?: string | null | undefined;
}

/**
 * Makes or imports a key.
 *
 * @returns the key, and its secret, which is shown this once.
 * @throws NotFoundError, ValidationError (also for a secret that is in use already)
 */
export async function createApiKey(
  database: Database,
  asked: ApiKeyRequest,
): Promise<{ apiKey: ApiKey; secret: string }> {
  const { workspaceId, name, scopes: wanted, dialect, secret: imported } = parseInput(request, asked);
  const secret = imported ?? newSecret(dialect ?? 'NATIVE');
  const key = { workspaceId, name, scopes: [...new Set(wanted)], dialect: dialect ?? 'NATIVE', secret } as const;
  if (key.scopes.some((scope) => everywhere.has(scope)) && workspaceId !== (await defaultWorkspaceId(database.reads))) {
    const message = 'WORK_ALL and ADMIN reach into every workspace: only keys of the workspace `default` can have them';
    throw new ValidationError([{ path: ['scopes'], message }]);
  }
  try {
    const apiKey = await insertApiKey(database.reads, key);
    if (apiKey === null) throw new NotFoundError('Workspace');
    return { apiKey, secret };
  } catch (error) {
    if (sqlState(error) !== uniqueViolation) throw error;
    throw new ValidationError([{ path: ['secret'], message: 'is in use already. Every key needs a secret of its own.' }]);
  }
}

const everywhere: ReadonlySet<Scope> = new Set(['WORK_ALL', 'ADMIN']);
const uniqueViolation = '23505';

/** Null where there is no such workspace. */
export async function insertApiKey(
  database: Queryable,
  key: { workspaceId: string; name: string; scopes: readonly Scope[]; dialect: Dialect; secret: string },
): Promise<ApiKey | null> {
  const [row] = await database.query<ApiKeyRow>(
    `INSERT INTO api_key (id, workspace_id, name, prefix, hash, scopes, dialect)
     SELECT $1::uuid, workspace.id, $3, $4, $5, $6::text[], $7 FROM workspace WHERE workspace.id = $2
     RETURNING ${apiKeyColumns}`,
    [
      newId(),
      key.workspaceId,
      key.name,
      shownPrefix(key.secret, key.dialect),
      hashSecret(key.secret),
      key.scopes,
      key.dialect,
    ],
  );
  return row === undefined ? null : apiKeyFromRow(row);
}
