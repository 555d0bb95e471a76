import { isUtf8 } from 'node:buffer';

export type JsonValue = string | number | boolean | null | JsonValue[] | { [key: string]: JsonValue };
export type JsonObject = { [key: string]: JsonValue };

/** Whether a JSON value is an object, rather than an array, a scalar or null. */
export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * Parses external JSON, in the same way for every surface and file:
 *
 * - The encoding is UTF-8, whatever `charset` says (RFC 8259, sections 8.1 and 11). A leading byte order mark is
 *   skipped.
 * - If a key occurs twice, the last value wins, as in ECMA-262.
 *
 * `textIssues` checks the content of the value, because it can name the path of a fault.
 *
 * @throws SyntaxError
 */
export function parseJson(source: Uint8Array | string): unknown {
  return JSON.parse(typeof source === 'string' ? withoutMark(source) : utf8Text(source));
}

/**
 * Decodes bytes that must be UTF-8. A lenient decoder would store different characters than were sent.
 *
 * @throws SyntaxError
 */
export function utf8Text(bytes: Uint8Array): string {
  if (!isUtf8(bytes)) throw new SyntaxError('it is not UTF-8');
  return withoutMark(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString());
}

function withoutMark(text: string): string {
  return text.startsWith('\uFEFF') ? text.slice(1) : text;
}

/** Media types of JSON bodies, for every surface: RFC 8259, and the suffix of RFC 6839. */
export const jsonType = /^application\/(?:[\w.-]+\+)?json *(?:;|$)/i;

/** Formats a JSON value with sorted keys, so that equal values give equal text. */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  if (value === null || typeof value !== 'object' || value instanceof Date) return JSON.stringify(value);
  const entries = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return `{${entries.map(([key, entry]) => `${JSON.stringify(key)}:${canonicalJson(entry)}`).join(',')}}`;
}
