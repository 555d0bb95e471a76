import { createHash } from 'node:crypto';
import { canonicalJson } from '../../json.ts';
import type { JsonValue } from '../model/job.ts';

/** SHA-256 of a request, in hex. Tells whether an idempotency key is reused for the same request. */
export function requestHash(request: JsonValue): string {
  return createHash('sha256').update(canonicalJson(request)).digest('hex');
}
