import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import type { Database } from '../database/database.ts';
import type { Queryable } from '../database/queryable.ts';
import type { Log } from '../log.ts';
import type { Secrets } from '../secrets.ts';

/** Marks an encrypted secret. Version 0.1 stored them as they are, `whsec_…`. */
const mark = 'v1:';

const algorithm = 'aes-256-gcm';
const ivBytes = 12;
const tagBytes = 16;

/** Most rows that one statement encrypts again. */
const batch = 500;

/** Encrypts the webhook secrets of workspaces at rest, with AES-256-GCM under SECRET. A stored secret is bound to its workspace. */
export class WebhookSecrets {
  /** The first encrypts. */
  readonly #keys: [Buffer, ...Buffer[]];

  constructor(secrets: Secrets) {
    this.#keys = secrets.keysFor('longhaul webhook secret');
  }

  /** The form to store. */
  seal(secret: string, workspaceId: string): string {
    const iv = randomBytes(ivBytes);
    const cipher = createCipheriv(algorithm, this.#keys[0], iv).setAAD(Buffer.from(workspaceId));
    const sealed = Buffer.concat([cipher.update(secret, 'utf8'), cipher.final()]);
    return mark + Buffer.concat([iv, cipher.getAuthTag(), sealed]).toString('base64url');
  }

  /** Reads a stored secret, also one that is not encrypted yet. Null if none of the values of SECRET encrypted it for this workspace. */
  open(stored: string, workspaceId: string): string | null {
    if (!stored.startsWith(mark)) return stored;
    const bytes = Buffer.from(stored.slice(mark.length), 'base64url');
    for (const key of this.#keys) {
      const secret = openWith(key, bytes, workspaceId);
      if (secret !== null) return secret;
    }
    return null;
  }

  /** Whether the newest key encrypted it. */
  isCurrent(stored: string, workspaceId: string): boolean {
    if (!stored.startsWith(mark)) return false;
    return openWith(this.#keys[0], Buffer.from(stored.slice(mark.length), 'base64url'), workspaceId) !== null;
  }
}

function openWith(key: Buffer, bytes: Buffer, workspaceId: string): string | null {
  const decipher = createDecipheriv(algorithm, key, bytes.subarray(0, ivBytes), { authTagLength: tagBytes })
    .setAAD(Buffer.from(workspaceId))
    .setAuthTag(bytes.subarray(ivBytes, ivBytes + tagBytes));
  try {
    return Buffer.concat([decipher.update(bytes.subarray(ivBytes + tagBytes)), decipher.final()]).toString('utf8');
  } catch {
    // The tag does not fit: another key, or another workspace's secret.
    return null;
  }
}

/** Generates a secret in the Standard Webhooks format: `whsec_` and the base64 of 24 to 64 random bytes (32 here). */
export function newWebhookSecret(): string {
  return `whsec_${randomBytes(32).toString('base64')}`;
}

const tables = [
  { table: 'workspace', column: 'webhook_secret', workspace: 'id' },
  { table: 'retired_webhook_secret', column: 'secret', workspace: 'workspace_id' },
] as const;

/** Encrypts all stored secrets with the first value of SECRET. A secret that is rotated meanwhile stays as it was rotated. */
export async function encryptWebhookSecrets(database: Database, secrets: WebhookSecrets, log: Log): Promise<void> {
  for (const { table, column, workspace } of tables) {
    let unreadable = 0;
    for (let after = '00000000-0000-0000-0000-000000000000'; ; ) {
      const rows = await database.reads.query<{ id: string; workspace_id: string; stored: string }>(
        `SELECT id, ${workspace} AS workspace_id, ${column} AS stored FROM ${table} WHERE id > $1 ORDER BY id LIMIT ${batch}`,
        [after],
      );
      const changed = rows.flatMap(({ id, workspace_id: workspaceId, stored }) => {
        if (secrets.isCurrent(stored, workspaceId)) return [];
        const secret = secrets.open(stored, workspaceId);
        if (secret !== null) return [{ id, stored, sealed: secrets.seal(secret, workspaceId) }];
        unreadable += 1;
        return [];
      });
      await replace(database.reads, { table, column }, changed);
      const last = rows.at(-1);
      if (last === undefined || rows.length < batch) break;
      after = last.id;
    }
    if (unreadable > 0) log.error({ table, unreadable }, 'webhook secrets were encrypted with another SECRET; add that one to SECRET, or rotate them');
  }
}

async function replace(
  database: Queryable,
  { table, column }: { table: string; column: string },
  changed: readonly { id: string; stored: string; sealed: string }[],
): Promise<void> {
  if (changed.length === 0) return;
  await database.query(
    `UPDATE ${table} SET ${column} = changed.sealed
     FROM jsonb_to_recordset($1::jsonb) AS changed(id uuid, stored text, sealed text)
     WHERE ${table}.id = changed.id AND ${table}.${column} = changed.stored`,
    [JSON.stringify(changed)],
  );
}
