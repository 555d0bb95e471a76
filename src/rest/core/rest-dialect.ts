import type { IncomingHttpHeaders } from 'node:http';
import type { Dialect } from '../../workspaces/dialect.ts';
import type { Refusal } from './refusal.ts';
import type { Route } from './rest-route.ts';

export type Vendor = Exclude<Dialect, 'NATIVE'>;

/** One vendor's API: its routes, and how it says no. */
export interface RestDialect {
  name: Vendor;
  /** In front of every path: `/videoconduit`. */
  prefix: `/${string}`;
  /** Where its clients put the key; nowhere else does one count. */
  credential: 'bearer' | 'x-api-key';
  /** How its keys begin; empty where the vendor documents no form. A wrong key is told so only after it was looked up. */
  keyPrefixes: readonly string[];
  /**
   * Paths that another dialect has and this one has not, and on which a key of this one's form is answered by this one
   * all the same. At the root only; prefixes and hosts leave no doubt.
   */
  disputedPaths: readonly string[];
  /** Types that its lists show whatever surface they came through. */
  nativeTypes: readonly string[];
  routes: readonly Route[];
  /** Whether its answers carry X-RateLimit-Limit, -Remaining and -Reset (Unix seconds), as its vendor documents. */
  showsRateLimit: boolean;
  /**
   * Must render every refusal, `request` being what was refused (`sentBody` has what it sent). Never a top-level
   * `status`: clients that do not look at the HTTP status take it for the job's.
   */
  refuse(refusal: Refusal, request: RefusedRequest): Refused;
}

/** What a refusal may look at of the request that it answers. */
export interface RefusedRequest {
  headers: IncomingHttpHeaders;
  /** Its bytes; anything else where it has none, or was refused before they were read. */
  body: unknown;
  /** Of a request that reached a route. */
  call?: { route: Pick<Route, 'kind' | 'path'> } | null;
}

/** `headers` beside those that are set for every refusal. */
export interface Refused {
  status: number;
  body: object;
  headers?: Readonly<Record<string, string>>;
}
