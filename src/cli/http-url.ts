/** The URL that somebody typed, with or without its scheme; null where it is none of HTTP. */
export function httpUrl(text: string): URL | null {
  const url = URL.parse(/^[a-z]+:\/\//i.test(text) ? text : `http://${text}`);
  return url !== null && ['http:', 'https:'].includes(url.protocol) ? url : null;
}
