import type { IncomingHttpHeaders } from 'node:http';
import type { Dialect } from '../../workspaces/dialect.ts';
import type { Endpoint } from './rest-endpoint.ts';
import type { Refusal } from './refusal.ts';

export type Vendor = Exclude<Dialect, 'NATIVE'>;

/** How one vendor's API differs from the others, apart from its routes. */
export interface DialectProfile {
  name: Vendor;
  /** In front of every path: `/videoconduit`. */
  prefix: `/${string}`;
  /** Where its clients put the key. A key anywhere else does not count. */
  credential: 'bearer' | 'x-api-key';
  /** How its keys begin; empty if the vendor documents no form. A client is told of a wrong form only after the look-up. */
  keyPrefixes: readonly string[];
  /**
   * Paths that another dialect has and this one lacks, and on which this one still answers a key of its own form. They
   * matter at the root alone: a prefix or a host leaves no doubt.
   */
  disputedPaths: readonly string[];
  /** Types that its lists show whatever surface the jobs came through. */
  nativeTypes: readonly string[];
  /** Whether its answers carry X-RateLimit-Limit, -Remaining and -Reset (Unix seconds), as its vendor documents. */
  showsRateLimit: boolean;
  /**
   * Renders every refusal; `sentBody` reads what `request` sent. The body must not have a top-level `status`: clients
   * that ignore the HTTP status take it for the job's.
   */
  refuse(refusal: Refusal, request: RefusedRequest): Refused;
}

/** What a refusal may look at of the request that it answers. */
export interface RefusedRequest {
  headers: IncomingHttpHeaders;
  /** A Buffer; anything else if there is no body, or if the request was refused before its body was read. */
  body: unknown;
  /** Set once the request has reached a route. */
  call?: { route: Pick<Endpoint, 'kind' | 'path'> } | null;
}

/** `headers` are added to those that every refusal has. */
export interface Refused {
  status: number;
  body: object;
  headers?: Readonly<Record<string, string>>;
}
