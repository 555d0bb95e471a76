import { createHash } from 'node:crypto';
import type { JsonValue } from '../model/job.ts';

/** JSON with sorted keys: equal values give equal text. */
export function canonicalJson(value: JsonValue): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  if (value === null || typeof value !== 'object') return JSON.stringify(value);
  const entries = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return `{${entries.map(([key, entry]) => `${JSON.stringify(key)}:${canonicalJson(entry)}`).join(',')}}`;
}

/** SHA-256 of a request, in hex: whether an idempotency key comes with the same request again. */
export function requestHash(request: JsonValue): string {
  return createHash('sha256').update(canonicalJson(request)).digest('hex');
}
