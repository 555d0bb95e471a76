/**
 * The URL of a request with U+FFFD in place of whatever in its path is not percent-encoded UTF-8, as browsers decode it.
 * Fastify's router gives up on such a path before any route is found; this way it reaches the route that it was meant for.
 */
export function readableUrl(url: string): string {
  if (!url.includes('%')) return url;
  const end = url.indexOf('?');
  const path = end === -1 ? url : url.slice(0, end);
  return isReadable(path) ? url : path.replace(/(?:%[0-9a-f]{2})+|%/gi, readable) + url.slice(path.length);
}

function isReadable(path: string): boolean {
  try {
    decodeURIComponent(path);
    return true;
  } catch {
    return false;
  }
}

function readable(escapes: string): string {
  if (isReadable(escapes)) return escapes;
  const text = escapes === '%' ? '\uFFFD' : Buffer.from(escapes.replaceAll('%', ''), 'hex').toString('utf8');
  return encodeURIComponent(text);
}
