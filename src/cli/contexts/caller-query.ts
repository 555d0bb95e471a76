import type { Client } from '@longhaul/client';

/** Who asks, as the server tells it. */
interface Caller {
  scopes: string[];
  workspace: { id: string; name: string };
  /** Null for an access token. */
  apiKey: { name: string; prefix: string } | null;
  expiresAt: string | null;
}

/** @throws LonghaulError UNAUTHENTICATED, TOKEN_EXPIRED */
export async function askCaller(client: Client): Promise<Caller> {
  const query = '{ viewer { scopes workspace { id name } apiKey { name prefix } expiresAt } }';
  return (await client.query<{ viewer: Caller }>(query, {}, { timeout: 30_000 })).viewer;
}
