/*
 * An endpoint is a key for where a delivery goes. The first half of the UUID is a hash of the host and the second half
 * a hash of the path, so that all endpoints of a host are adjacent in an index. The query string is left out because
 * it usually differs from job to job. Both parts are hashed because an index cannot hold text of 8,192 characters, and
 * because paths may be secret.
 */

/** SQL for the endpoint of a URL. */
export function sqlEndpoint(url: string): string {
  const host = `substring(${url} from '^[^:]+://([^/?#]*)')`;
  const path = `substring(${url} from '^[^:]+://[^/?#]*(/[^?#]*)')`;
  const withoutPort = `regexp_replace(lower(coalesce(${host}, '')), ':(80|443)$', '')`;
  return `(left(md5(${withoutPort}), 16) || left(md5(coalesce(${path}, '/')), 16))::uuid`;
}

/** SQL for the prefix that all endpoints of a host share. */
export function sqlHost(endpoint: string): string {
  // 16 hex digits and 2 dashes.
  return `left(${endpoint}::text, 18)`;
}

/** SQL for the greatest possible endpoint of the same host. */
export function sqlLastOfHost(endpoint: string): string {
  return `(${sqlHost(endpoint)} || '-ffff-ffffffffffff')::uuid`;
}
