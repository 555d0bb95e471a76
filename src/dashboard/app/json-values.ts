/* JSON values, which are `unknown` until they were looked at. The server takes and gives no number that JSON.parse would round. */

/** What the server shows in place of a secret, or, of an input of which all is secret, also of its names. */
export const hiddenText = '•••';

export function isJsonRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** What is in an array or an object, by index or name. */
export function partsOf(value: unknown): readonly (readonly [string, unknown])[] {
  if (Array.isArray(value)) return value.map((item: unknown, at) => [String(at), item]);
  return isJsonRecord(value) ? Object.entries(value) : [];
}

/** Whether something in it is hidden. */
export function hidesSomething(value: unknown): boolean {
  return value === hiddenText || partsOf(value).some(([, inner]) => hidesSomething(inner));
}

/**
 * Paths of the numbers beyond ±(2^53 - 1), where JSON.parse rounds. Every number that was written beyond is read to one that is beyond:
 * to look at what was read is enough.
 */
export function roundedIn(value: unknown, path: readonly string[] = []): (readonly string[])[] {
  if (typeof value === 'number') return Math.abs(value) > Number.MAX_SAFE_INTEGER ? [path] : [];
  return partsOf(value).flatMap(([name, inner]) => roundedIn(inner, [...path, name]));
}

/** For people: indented. */
export function jsonText(value: unknown): string {
  return JSON.stringify(value, null, 2);
}
