import { randomFillSync } from 'node:crypto';
import { v7 } from 'uuid';

/*
 * Ids are UUIDv7 (RFC 9562, section 5.7), made by the application: their first 48 bits are the millisecond of creation,
 * so that their order is the order of creation and no row needs a column for it.
 */

/** Random bytes are drawn for so many ids at once: a system call for each costs more than the id. */
const pooledIds = 256;
const randomBytesOfId = 16;
const pool = Buffer.alloc(pooledIds * randomBytesOfId);
let used = pool.length;
let lastMillisecond = 0;
let sequence = 0;

/** A new id, greater than every one that this process made before. */
export function newId(): string {
  if (used === pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  const random = pool.subarray(used, used + randomBytesOfId);
  used += randomBytesOfId;
  const now = Date.now();
  // Within a millisecond, and while the clock is set back, a counter of 32 bits keeps the order (RFC 9562, section 6.2).
  if (now > lastMillisecond) {
    lastMillisecond = now;
    sequence = random.readUInt32BE(12) >>> 1;
  } else {
    sequence += 1;
  }
  return v7({ msecs: lastMillisecond, seq: sequence, random });
}

/** The instant in an id. */
export function createdAtOf(id: string): Date {
  return new Date(Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16));
}

/** The smallest id of a millisecond; instants that no UUIDv7 can carry are taken to its nearest. */
export function firstIdOf(milliseconds: number): string {
  const hex = Math.min(Math.max(milliseconds, 0), 2 ** 48 - 1).toString(16).padStart(12, '0');
  return `${hex.slice(0, 8)}-${hex.slice(8)}-0000-0000-000000000000`;
}
