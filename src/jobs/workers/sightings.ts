import { newId } from '../../database/ids.ts';
import type { Queryable } from '../../database/queryable.ts';
import { sqlDefaultWorkspace } from '../../workspaces/default-workspace.ts';
import type { WorkspaceScope } from '../model/workspace-scope.ts';

/** A worker that was heard, and the types that it claimed since it was written last. */
interface Sighting {
  scope: WorkspaceScope;
  name: string;
  types: Set<string>;
  /** Whether it claimed. One that only reported is known already, or will be. */
  claims: boolean;
}

/** The most workers that are kept between two writes. Whoever is left out is heard again soon. */
const mostSightings = 10_000;

/** Workers that this process has heard and not written yet. In memory, so that no claim waits for it. */
export class Sightings {
  readonly #byWorker = new Map<string, Sighting>();
  /** What is claimed, as `typeKey` names it. */
  readonly #claimed = new Set<string>();

  get all(): Sighting[] {
    return [...this.#byWorker.values()];
  }

  /** @param types none if it named the jobs: it takes no others of their types */
  claimed(scope: WorkspaceScope, name: string, types: Iterable<string>): void {
    const sighting = this.#sighting(scope, name);
    if (sighting === null) return;
    sighting.claims = true;
    for (const type of types) {
      sighting.types.add(type);
      this.#claimed.add(typeKey(scope, type));
    }
  }

  reported(scope: WorkspaceScope, name: string): void {
    this.#sighting(scope, name);
  }

  /** Takes up what could not be written. */
  addAll(earlier: Sightings): void {
    for (const { scope, name, types, claims } of earlier.all) {
      if (claims) this.claimed(scope, name, types);
      else this.reported(scope, name);
    }
  }

  #sighting(scope: WorkspaceScope, name: string): Sighting | null {
    const key = typeKey(scope, name);
    let sighting = this.#byWorker.get(key);
    if (sighting !== undefined) return sighting;
    if (this.#byWorker.size >= mostSightings) return null;
    sighting = { scope, name, types: new Set(), claims: false };
    this.#byWorker.set(key, sighting);
    return sighting;
  }

  /** Whether a worker of this scope claims the type. */
  hasClaimOf(scope: WorkspaceScope, type: string): boolean {
    return this.#claimed.has(typeKey(scope, type));
  }
}

/** Names a type, or a worker, of a scope. */
export function typeKey(scope: WorkspaceScope, name: string): string {
  return `${scope ?? ''} ${name}`;
}

/** A worker that claims in several requests names some of its types in each. What it has not named for so long is forgotten. */
const typeSeconds = 600;

/** A worker is not written again sooner, whatever the number of processes that hear it, unless it claims a new type. */
const pauseSeconds = 4;

/* Rows in the order of their key, so that two processes do not deadlock, and each key once: keys of `default` may have both scopes. */
const statement = `
  WITH seen AS (
    SELECT DISTINCT ON (workspace_id, name) * FROM (
      SELECT id, coalesce(scope, ${sqlDefaultWorkspace}) AS workspace_id, scope IS NULL AS everywhere, name, types, claims
      FROM jsonb_to_recordset($1::jsonb) AS heard(id uuid, scope uuid, name text, types text[], claims boolean)
    ) AS heard
    ORDER BY workspace_id, name, everywhere DESC
  )
  INSERT INTO worker (id, workspace_id, everywhere, name, types)
  SELECT seen.id, seen.workspace_id, seen.everywhere, seen.name, (
    SELECT coalesce(jsonb_object_agg(type, floor(extract(epoch FROM now()))), '{}') FROM unnest(seen.types) AS type
  )
  FROM seen LEFT JOIN worker ON worker.workspace_id = seen.workspace_id AND worker.name = seen.name
  WHERE seen.workspace_id IS NOT NULL AND (
    worker.id IS NULL AND seen.claims OR worker.last_seen_at < now() - interval '${pauseSeconds} seconds' OR NOT worker.types ?& seen.types)
  ORDER BY seen.workspace_id, seen.name
  ON CONFLICT (workspace_id, name) DO UPDATE SET last_seen_at = now(), everywhere = excluded.everywhere,
    types = CASE WHEN excluded.types = '{}' THEN worker.types ELSE (
      SELECT jsonb_object_agg(type, at) FROM jsonb_each(worker.types || excluded.types) AS claimed(type, at)
      WHERE at::float8 > extract(epoch FROM now()) - ${typeSeconds}
    ) END`;

/** Writes what was heard, in one statement, of what is due. */
export async function writeSightings(database: Queryable, sightings: Sightings): Promise<void> {
  const rows = sightings.all.map((sighting) => ({ ...sighting, id: newId(), types: [...sighting.types] }));
  if (rows.length > 0) await database.query(statement, [JSON.stringify(rows)]);
}
