import type { OperationVariables } from '@apollo/client';
import { type Cache, InMemoryCache, type InMemoryCacheConfig, type Reference, type TypePolicies } from '@apollo/client/cache';
import { relayStylePagination } from '@apollo/client/utilities';
import { connections, possibleTypes } from './cache-facts.ts';

/** Each connection is one list, whose pages are joined by their cursors, for each of its filters and orders. */
export const typePolicies: TypePolicies = Object.fromEntries(
  Object.entries(connections).map(([type, fields]) => [
    type,
    { fields: Object.fromEntries(Object.entries(fields).map(([field, keys]) => [field, relayStylePagination(keys)])) },
  ]),
);

/**
 * Apollo's cache with what it has to know of Longhaul: the members of unions and interfaces, the pages of connections, and that of two
 * versions of a job the newer one counts, whichever answer comes last. For that, select `id` and `version` of jobs.
 */
export class LonghaulCache extends InMemoryCache {
  /** @param config more of it; type policies come on top of those for Longhaul */
  constructor(config: InMemoryCacheConfig = {}) {
    super({ ...config, possibleTypes: { ...possibleTypes, ...config.possibleTypes }, typePolicies });
    if (config.typePolicies !== undefined) this.policies.addTypePolicies(config.typePolicies);
  }

  override write<Data = unknown, Variables extends OperationVariables = OperationVariables>(options: Cache.WriteOptions<Data, Variables>): Reference | undefined {
    const newer = this.#newerThan(options.result);
    if (newer.size === 0) return super.write(options);
    const update = () => {
      const written = super.write(options);
      for (const [id, kept] of newer) {
        this.modify({ id, broadcast: false, fields: (value, { storeFieldName }) => (kept.has(storeFieldName) ? kept.get(storeFieldName) : value) });
      }
      return written;
    };
    return options.broadcast === false ? update() : this.batch({ update });
  }

  /** The fields of the jobs that are here in a newer version than in this result, by the id in the cache. */
  #newerThan(result: unknown): Map<string, Map<string, unknown>> {
    const newer = new Map<string, Map<string, unknown>>();
    for (const job of jobsIn(result)) {
      const id = this.identify({ ...job });
      if (id === undefined) continue;
      const fields = new Map<string, unknown>();
      // Reads: each field stays as it is.
      this.modify({ id, broadcast: false, fields: (value, { storeFieldName }) => (fields.set(storeFieldName, value), value) });
      const version = fields.get('version');
      if (typeof version === 'number' && version > job.version) newer.set(id, fields);
    }
    return newer;
  }
}

interface VersionedJob {
  __typename: 'Job';
  id: string;
  version: number;
}

/** The jobs anywhere in a result. */
function* jobsIn(value: unknown): Generator<VersionedJob> {
  if (typeof value !== 'object' || value === null) return;
  const { __typename: typename, id, version }: { [Field in keyof VersionedJob]?: unknown } = value;
  if (typename === 'Job' && typeof id === 'string' && typeof version === 'number') yield { __typename: typename, id, version };
  for (const inner of Object.values(value)) yield* jobsIn(inner);
}
