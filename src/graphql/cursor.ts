import { hash, hkdfSync, timingSafeEqual } from 'node:crypto';

/** Makes and reads cursors: a place, an id as a rule, and a mark that only this installation can make, so that a tampered one is told. */
export class Cursors {
  readonly #key: Buffer;

  constructor(secret: string) {
    this.#key = Buffer.from(hkdfSync('sha256', secret, '', 'longhaul cursor', 32));
  }

  /** @param list what the cursor is a place in; a cursor of one list is none of another. */
  encode(list: string, uuid: string): string {
    return this.seal(list, Buffer.from(uuid.replaceAll('-', ''), 'hex'));
  }

  /** Null for what is no cursor of this list. */
  decode(list: string, cursor: string): string | null {
    const id = this.open(list, cursor);
    if (id?.length !== idBytes) return null;
    const hex = id.toString('hex');
    return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
  }

  /** A place that is more than an id. */
  seal(list: string, place: Buffer): string {
    return Buffer.concat([place, this.#mark(list, place)]).toString('base64url');
  }

  /** Null for what is no place in this list. */
  open(list: string, cursor: string): Buffer | null {
    const bytes = Buffer.from(cursor, 'base64url');
    if (bytes.length < markBytes || bytes.toString('base64url') !== cursor) return null;
    const place = bytes.subarray(0, -markBytes);
    return timingSafeEqual(bytes.subarray(-markBytes), this.#mark(list, place)) ? place : null;
  }

  // A keyed hash in one call: a page makes a hundred, and an HMAC object for each would cost more than the rest of it.
  // It tells a cursor that was tampered with from one that was not; what a cursor opens is decided by the query.
  #mark(list: string, place: Buffer): Buffer {
    return hash('sha256', Buffer.concat([this.#key, Buffer.from(list), place]), 'buffer').subarray(0, markBytes);
  }
}

const idBytes = 16;
const markBytes = 8;
