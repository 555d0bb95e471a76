import type { Queryable } from '../database/queryable.ts';

/** Not more often than this for each key, whatever the number of processes. */
const writtenMinutes = 1;

/** Notes which keys are in use. What is noted is written by the next sweep, in one statement. */
export class KeyUses {
  #used = new Set<string>();

  note(apiKeyId: string): void {
    this.#used.add(apiKeyId);
  }

  async write(database: Queryable): Promise<void> {
    const used = this.#used;
    this.#used = new Set();
    if (used.size === 0) return;
    try {
      await database.query(
        `UPDATE api_key SET last_used_at = now() FROM (
           SELECT id FROM api_key WHERE id = ANY($1::uuid[])
             AND (last_used_at IS NULL OR last_used_at < now() - interval '${writtenMinutes} minutes')
           ORDER BY id FOR UPDATE SKIP LOCKED
         ) AS used WHERE api_key.id = used.id`,
        [[...used]],
      );
    } catch (error) {
      for (const id of used) this.#used.add(id);
      throw error;
    }
  }
}
