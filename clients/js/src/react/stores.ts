import type { Client } from '../client.ts';
import type { JobFilter, JobsOptions } from '../jobs.ts';
import { JobStore } from './job-store.ts';
import { ListStore } from './list-store.ts';

/** The stores of a client: components that show the same share one. */
class Stores {
  readonly #client: Client;
  readonly #jobs = new Map<string, JobStore>();
  readonly #lists = new Map<string, ListStore>();

  constructor(client: Client) {
    this.#client = client;
  }

  job(id: string): JobStore {
    return remembered(this.#jobs, id, () => new JobStore(this.#client, id));
  }

  list(key: string, filter: JobFilter, options: Pick<JobsOptions, 'order' | 'pageSize'>): ListStore {
    return remembered(this.#lists, key, () => new ListStore(this.#client, filter, options));
  }
}

/** So many are kept of those that nobody shows any more: who comes back sees what was there at once. */
const mostRemembered = 200;

function remembered<Kept extends { isUsed: boolean }>(map: Map<string, Kept>, key: string, make: () => Kept): Kept {
  const kept = map.get(key) ?? make();
  map.delete(key);
  map.set(key, kept);
  for (const [name, { isUsed }] of map) {
    if (map.size <= mostRemembered) break;
    if (!isUsed && name !== key) map.delete(name);
  }
  return kept;
}

const stores = new WeakMap<Client, Stores>();

export function storesOf(client: Client): Stores {
  const found = stores.get(client) ?? new Stores(client);
  stores.set(client, found);
  return found;
}
