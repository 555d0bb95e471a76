import type { FastifyRequest } from 'fastify';
import { bearerIn } from '../../workspaces/authenticate.ts';
import type { Dialect } from '../../workspaces/dialect.ts';
import { routerPath } from './rest-endpoint.ts';
import type { RestDialect } from './rest-dialect.ts';

/**
 * Decides which dialect a request at the root speaks: by Host, by path, by key, in this order, and never by the form of a
 * job's id. (A prefix decides before all of them; each dialect's routes are registered under its own.) The README beside
 * this folder gives the reasons.
 */
export class DialectChoice {
  readonly #dialects: readonly RestDialect[];
  readonly #hosts: ReadonlyMap<string, RestDialect>;

  /** @param hosts dialects by host name in lower case, without port */
  constructor(dialects: readonly RestDialect[], hosts: ReadonlyMap<string, Dialect>) {
    this.#dialects = dialects;
    this.#hosts = new Map(
      [...hosts].flatMap(([host, name]) => {
        const dialect = dialects.find((each) => each.name === name);
        return dialect === undefined ? [] : [[host, dialect] as const];
      }),
    );
  }

  /** The dialects that have a route on this path of the router. */
  ownersOf(path: string): RestDialect[] {
    return this.#dialects.filter(({ routes }) => routes.some((route) => routerPath(route.path) === path));
  }

  /** On a path that these dialects own; null if nothing decides. */
  onPath(request: FastifyRequest, path: string, owners: readonly RestDialect[]): RestDialect | null {
    const byHost = this.#byHost(request);
    if (byHost !== null) return byHost;
    const byKey = this.#byKey(request);
    const [only, ...others] = owners;
    if (only === undefined || others.length > 0) return byKey !== null && owners.includes(byKey) ? byKey : null;
    return byKey !== null && byKey.disputedPaths.includes(path) ? byKey : only;
  }

  /** On a path that no dialect owns; null if it is not a dialect's client that asks. */
  elsewhere(request: FastifyRequest): RestDialect | null {
    return this.#byHost(request) ?? this.#byKey(request);
  }

  /** The dialect that the operator gave this request's host. */
  #byHost(request: FastifyRequest): RestDialect | null {
    if (this.#hosts.size === 0) return null;
    // A fully qualified name may end in a dot (RFC 3986, section 3.2.2), and is the same host.
    return this.#hosts.get(request.hostname.toLowerCase().replace(/\.$/, '')) ?? null;
  }

  /** The dialect whose keys begin as this request's does, valid or not. */
  #byKey({ headers }: FastifyRequest): RestDialect | null {
    const secret = bearerIn(headers);
    if (secret === null) return null;
    return this.#dialects.find(({ keyPrefixes }) => keyPrefixes.some((prefix) => secret.startsWith(prefix))) ?? null;
  }
}
