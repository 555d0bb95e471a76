import type { Queryable } from '../database/queryable.ts';

/** How long a secret that was rotated away goes on signing. */
const validHours = 24;

/** Of them the newest: every one is another signature in a header. */
const mostValid = 4;

/** The secrets of a workspace that sign beside the one in force, the newest first. */
export function sqlValidRetiredSecrets(workspaceId: string): string {
  return `SELECT retired_webhook_secret.secret FROM retired_webhook_secret
    WHERE retired_webhook_secret.workspace_id = ${workspaceId}
      AND retired_webhook_secret.retired_at > now() - interval '${validHours} hours'
    ORDER BY retired_webhook_secret.id DESC LIMIT ${mostValid}`;
}

/** Forgets those of every workspace that sign no more because of their age. */
export async function forgetRetiredSecrets(database: Queryable): Promise<void> {
  await database.query(
    `DELETE FROM retired_webhook_secret WHERE retired_at <= now() - interval '${validHours} hours'`,
  );
}
