import { hash, hkdfSync, timingSafeEqual } from 'node:crypto';

/** Makes and reads cursors: an id, and a mark that only this installation can make, so that a tampered one is told. */
export class Cursors {
  readonly #key: Buffer;

  constructor(secret: string) {
    this.#key = Buffer.from(hkdfSync('sha256', secret, '', 'longhaul cursor', 32));
  }

  /** @param list what the cursor is a place in; a cursor of one list is none of another. */
  encode(list: string, uuid: string): string {
    const id = Buffer.from(uuid.replaceAll('-', ''), 'hex');
    return Buffer.concat([id, this.#mark(list, id)]).toString('base64url');
  }

  /** Null for what is no cursor of this list. */
  decode(list: string, cursor: string): string | null {
    const bytes = Buffer.from(cursor, 'base64url');
    if (bytes.length !== idBytes + markBytes || bytes.toString('base64url') !== cursor) return null;
    const id = bytes.subarray(0, idBytes);
    if (!timingSafeEqual(bytes.subarray(idBytes), this.#mark(list, id))) return null;
    const hex = id.toString('hex');
    return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
  }

  // A keyed hash in one call: a page makes a hundred, and an HMAC object for each would cost more than the rest of it.
  // It tells a cursor that was tampered with from one that was not; what a cursor opens is decided by the query.
  #mark(list: string, id: Buffer): Buffer {
    return hash('sha256', Buffer.concat([this.#key, Buffer.from(list), id]), 'buffer').subarray(0, markBytes);
  }
}

const idBytes = 16;
const markBytes = 8;
