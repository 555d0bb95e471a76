/** A URL as logs may show it: without its query, which may sign it. */
export function shownUrl(url: string): string {
  const { origin, pathname } = new URL(url);
  return origin + pathname;
}
