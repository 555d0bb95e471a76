import type { FastifyRequest } from 'fastify';
import { bearerIn } from '../../workspaces/authenticate.ts';
import type { Dialect } from '../../workspaces/dialect.ts';
import type { RestDialect } from './rest-dialect.ts';
import { type Route, routerPath } from './rest-route.ts';

/** A path of one or more dialects, as the router writes it. */
interface OwnedPath {
  pattern: RegExp;
  owners: readonly RestDialect[];
}

/**
 * The one place that decides which dialect a request speaks (DIALECTS.md, section 2): prefix, Host, path, key, in this
 * order, and never the form of a job's id.
 */
export class Dispatch {
  readonly #dialects: readonly RestDialect[];
  readonly #hosts: ReadonlyMap<string, RestDialect>;
  readonly #paths: readonly OwnedPath[];

  /** @param hosts dialects by host name in lower case, without port. */
  constructor(dialects: readonly RestDialect[], hosts: ReadonlyMap<string, Dialect>) {
    this.#dialects = dialects;
    this.#hosts = new Map(
      [...hosts].flatMap(([host, name]) => {
        const dialect = dialects.find((each) => each.name === name);
        return dialect === undefined ? [] : [[host, dialect] as const];
      }),
    );
    const paths = new Set(dialects.flatMap(({ routes }) => routes.map(({ path }) => routerPath(path))));
    this.#paths = [...paths].map((path) => ({ pattern: patternOf(path), owners: this.ownersOf(path) }));
  }

  /** The dialects that have a route on this path of the router. */
  ownersOf(path: string): RestDialect[] {
    return this.#dialects.filter(({ routes }) => routes.some((route) => routerPath(route.path) === path));
  }

  /** The dialect that the operator gave this request's host. */
  byHost(request: FastifyRequest): RestDialect | null {
    if (this.#hosts.size === 0) return null;
    // A fully qualified name may end in a dot (RFC 3986, section 3.2.2), and is the same host.
    return this.#hosts.get(request.hostname.toLowerCase().replace(/\.$/, '')) ?? null;
  }

  /** On a path at the root: by Host, by path, by key. Null where nothing decides. */
  atRoot(request: FastifyRequest, path: string, owners: readonly RestDialect[]): RestDialect | null {
    const host = this.byHost(request);
    if (host !== null) return host;
    const [only, ...others] = owners;
    const keys = this.#byKey(request);
    if (only === undefined) return keys;
    if (others.length > 0) return keys !== null && owners.includes(keys) ? keys : null;
    return keys !== null && keys.disputedPaths.includes(path) ? keys : only;
  }

  /** What a request that reached no route was meant for; `path` is without the prefix. Null where it is not a dialect's. */
  stray(request: FastifyRequest): { dialect: RestDialect | null; path: string; owned: boolean } {
    const path = request.url.split('?', 1)[0] ?? '';
    const prefixed = this.#dialects.find(({ prefix }) => path === prefix || path.startsWith(`${prefix}/`));
    if (prefixed !== undefined) return { dialect: prefixed, path: path.slice(prefixed.prefix.length), owned: true };
    const owned = this.#paths.find(({ pattern }) => pattern.test(path));
    return { dialect: this.atRoot(request, path, owned?.owners ?? []), path, owned: owned !== undefined };
  }

  /** The dialect whose keys begin as this request's does, whether or not it is any key's. */
  #byKey({ headers }: FastifyRequest): RestDialect | null {
    const secret = bearerIn(headers);
    if (secret === null) return null;
    return this.#dialects.find(({ keyPrefixes }) => keyPrefixes.some((prefix) => secret.startsWith(prefix))) ?? null;
  }
}

/** The dialect's routes on a path as it was sent, encoded and perhaps unreadable. */
export function routesOn({ routes }: RestDialect, path: string): Route[] {
  return routes.filter((route) => patternOf(routerPath(route.path)).test(path));
}

function patternOf(path: string): RegExp {
  return new RegExp(`^${path.replaceAll('.', '\\.').replace(':id', '[^/]+')}$`);
}
