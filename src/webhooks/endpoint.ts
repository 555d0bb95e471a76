/*
 * Where a delivery goes, as a key: the first half of a UUID is a hash of the host and the second one of the path, so that
 * everything for a host lies together in an index. The query is left out: it differs from job to job more often than not.
 * Hashed, because an index takes no text of 2,048 characters, and paths may be secrets.
 */

/** The key for a URL, as SQL. */
export function sqlEndpoint(url: string): string {
  const host = `substring(${url} from '^[^:]+://([^/?#]*)')`;
  const path = `substring(${url} from '^[^:]+://[^/?#]*(/[^?#]*)')`;
  const withoutPort = `regexp_replace(lower(coalesce(${host}, '')), ':(80|443)$', '')`;
  return `(left(md5(${withoutPort}), 16) || left(md5(coalesce(${path}, '/')), 16))::uuid`;
}

/** What the endpoints of one host have in common, as SQL. */
export function sqlHost(endpoint: string): string {
  // Sixteen digits and two dashes.
  return `left(${endpoint}::text, 18)`;
}

/** The last endpoint of the same host, as SQL. */
export function sqlLastOfHost(endpoint: string): string {
  return `(${sqlHost(endpoint)} || '-ffff-ffffffffffff')::uuid`;
}
