import { randomFillSync } from 'node:crypto';
import { v7 } from 'uuid';

/*
 * The application generates UUIDv7 ids (RFC 9562, section 5.7). Their first 48 bits are the creation time in milliseconds,
 * so they sort by creation and no row needs a column for it.
 */

/** Random bytes are drawn for this many ids at once, because a system call per id costs more than the rest of it. */
const pooledIds = 256;
const randomBytesOfId = 16;
const pool = Buffer.alloc(pooledIds * randomBytesOfId);
let used = pool.length;
let lastMillisecond = 0;
let sequence = 0;
let time = Date.now;

/** Makes ids, and with them the times of creation, by another clock than this machine's, in milliseconds since 1970. */
export function takeTimeFrom(clock: () => number): void {
  time = clock;
  // Or ids of a clock that was fast would hold it for as long.
  lastMillisecond = 0;
}

/** Makes an id that is greater than every id this process made before. */
export function newId(): string {
  if (used === pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  const random = pool.subarray(used, used + randomBytesOfId);
  used += randomBytesOfId;
  const now = Math.floor(time());
  // Within a millisecond, and if the clock goes back, a 32-bit counter keeps the order (RFC 9562, section 6.2).
  if (now > lastMillisecond) {
    lastMillisecond = now;
    sequence = random.readUInt32BE(12) >>> 1;
  } else {
    sequence += 1;
  }
  return v7({ msecs: lastMillisecond, seq: sequence, random });
}

/** The creation time in an id. */
export function createdAtOf(id: string): Date {
  return new Date(Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16));
}

/** The smallest id of a millisecond. Times outside the range of UUIDv7 are clamped. */
export function firstIdOf(milliseconds: number): string {
  const hex = Math.min(Math.max(milliseconds, 0), 2 ** 48 - 1).toString(16).padStart(12, '0');
  return `${hex.slice(0, 8)}-${hex.slice(8)}-0000-0000-000000000000`;
}
