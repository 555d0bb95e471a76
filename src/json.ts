import { isUtf8 } from 'node:buffer';

/**
 * Reads JSON from outside, the same way for every surface and file:
 *
 * - It is UTF-8, whatever a `charset` says: RFC 8259, sections 8.1 and 11. A byte order mark in front is skipped.
 * - Of two values under one key the last one counts, as ECMA-262 has it.
 *
 * What the value may hold is checked by `textIssues`, where its place can be named.
 *
 * @throws SyntaxError
 */
export function parseJson(source: Uint8Array | string): unknown {
  return JSON.parse(typeof source === 'string' ? withoutMark(source) : utf8Text(source));
}

/**
 * Decodes bytes that must be UTF-8: a lenient decoder would store other characters than were sent.
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

/** A JSON value as text with sorted keys: equal values give equal text. */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  if (value === null || typeof value !== 'object') return JSON.stringify(value);
  const entries = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return `{${entries.map(([key, entry]) => `${JSON.stringify(key)}:${canonicalJson(entry)}`).join(',')}}`;
}
