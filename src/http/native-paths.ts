import type { FastifyInstance, FastifyRequest } from 'fastify';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Of a REST dialect, which answers for its own paths. */
    dialect?: boolean;
  }
}

/** The paths that are our own, and what can be done on them: a known path with another method is 405, not 404. */
export class NativePaths {
  readonly #methods = new Map<string, Set<string>>();

  /** Notes every route that is added from now on. */
  watch(app: FastifyInstance): void {
    app.addHook('onRoute', ({ url, method, config }) => {
      if (config?.dialect === true) return;
      const known = this.#methods.get(url) ?? new Set();
      for (const each of Array.isArray(method) ? method : [method]) known.add(each);
      this.#methods.set(url, known);
    });
  }

  /** What is allowed on the path of a request that reached no route; null for an unknown path. */
  allowed({ url }: FastifyRequest): string | null {
    const path = url.split('?', 1)[0] ?? '';
    for (const [known, methods] of this.#methods) if (matches(known, path)) return [...methods].join(', ');
    return null;
  }
}

function matches(route: string, path: string): boolean {
  const wanted = route.split('/');
  const given = path.split('/');
  return wanted.length === given.length && wanted.every((part, at) => part.startsWith(':') || part === given[at]);
}
