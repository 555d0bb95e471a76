import { LRUCache } from 'lru-cache';
import type { Database } from '../../database/database.ts';
import { firstIdOf } from '../../database/ids.ts';
import type { Dialect } from '../../workspaces/dialect.ts';
import type { WorkspaceScope } from '../model/workspace-scope.ts';
import type { Job } from '../model/job.ts';

type Named = Pick<Job, 'id' | 'type'>;

/** A form of id that a surface gives its clients beside the UUID. Surfaces register theirs. */
export type IdForm =
  /** Contains the UUID. */
  | { uuidIn: (id: string) => string | null }
  /** Derived from the job. `createdIn` gives the millisecond of creation in an id of this form. */
  | { dialect: Dialect; createdIn: (id: string) => number | null; idOf: (job: Named) => string };

const uuidForm = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** Every form in which clients name jobs, for every surface. */
export class JobIds {
  readonly #database: Database;
  readonly #forms: readonly IdForm[];
  /** What a UUID is derived to never changes. Who may see the job is asked each time. */
  readonly #known = new LRUCache<string, string>({ max: 10_000 });

  constructor(database: Database, forms: readonly IdForm[]) {
    this.#database = database;
    this.#forms = forms;
  }

  /** The id that the clients of the job's own dialect know it by; null where that is its UUID. */
  vendorIdOf(job: Named & Pick<Job, 'dialect'>): string | null {
    for (const form of this.#forms) if ('idOf' in form && form.dialect === job.dialect) return form.idOf(job);
    return null;
  }

  /** The UUID of the job that an id of any form may name; null if it can name none. */
  uuidOf(scope: WorkspaceScope, id: string): string | null | Promise<string | null> {
    const lower = id.toLowerCase();
    if (uuidForm.test(lower)) return lower;
    for (const form of this.#forms) {
      if ('uuidIn' in form) {
        const uuid = form.uuidIn(id);
        if (uuid !== null) return uuid;
      } else {
        const created = form.createdIn(id);
        if (created !== null) return this.#known.get(`${scope} ${id}`) ?? this.#lookUp(scope, id, created, form.idOf);
      }
    }
    return null;
  }

  async #lookUp(scope: WorkspaceScope, id: string, created: number, idOf: (job: Named) => string): Promise<string | null> {
    // The jobs of one millisecond: a handful, found by their index.
    const rows = await this.#database.hot.query<Named>(
      `SELECT job.id, job.type FROM job
       WHERE ($1::uuid IS NULL OR job.workspace_id = $1::uuid) AND job.id >= $2::uuid AND job.id < $3::uuid ORDER BY job.id`,
      [scope, firstIdOf(created), firstIdOf(created + 1)],
    );
    const uuid = rows.find((row) => idOf(row) === id)?.id ?? null;
    if (uuid !== null) this.#known.set(`${scope} ${id}`, uuid);
    return uuid;
  }
}
