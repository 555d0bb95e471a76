import { hash, timingSafeEqual } from 'node:crypto';
import type { Secrets } from './secrets.ts';

/**
 * Makes and reads cursors. A cursor holds a position in a list, usually an id, and a keyed hash, by which a cursor that was
 * tampered with or made by another installation is detected.
 */
export class Cursors {
  /** The first makes the marks. */
  readonly #keys: [Buffer, ...Buffer[]];
  #mould: Mould;

  constructor(secrets: Secrets) {
    this.#keys = secrets.keysFor('longhaul cursor');
    this.#mould = mouldOf(this.#keys[0], '');
  }

  /** @param list the list's name; its cursors are not valid in any other list */
  encode(list: string, uuid: string): string {
    if (this.#mould.list !== list) this.#mould = mouldOf(this.#keys[0], list);
    const { marked, shown } = this.#mould;
    shown.write(uuid.replaceAll('-', ''), 'hex');
    shown.write(hash('sha256', marked, 'binary'), idBytes, markBytes, 'latin1');
    return shown.toString('base64url');
  }

  /** Null if it is not a cursor of this list. */
  decode(list: string, cursor: string): string | null {
    const id = this.open(list, cursor);
    if (id?.length !== idBytes) return null;
    const hex = id.toString('hex');
    return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
  }

  /** Makes a cursor of a position that is more than an id. */
  seal(list: string, place: Buffer): string {
    const sealed = Buffer.concat([place], place.length + markBytes);
    sealed.write(markOf(this.#keys[0], list, place), place.length, 'latin1');
    return sealed.toString('base64url');
  }

  /** Reads the position from a cursor that `seal` made; null if it is not one of this list. */
  open(list: string, cursor: string): Buffer | null {
    const bytes = Buffer.from(cursor, 'base64url');
    if (bytes.length < markBytes || bytes.toString('base64url') !== cursor) return null;
    const place = bytes.subarray(0, -markBytes);
    const mark = bytes.subarray(-markBytes);
    return this.#keys.some((key) => timingSafeEqual(mark, Buffer.from(markOf(key, list, place), 'latin1'))) ? place : null;
  }
}

/** Where the cursors of one list are made, one after another: a page makes a hundred, and buffers for each took most of the time. */
interface Mould {
  list: string;
  /** The key, the list and the id. */
  marked: Buffer;
  /** The id and the mark. It overlaps `marked`. */
  shown: Buffer;
}

function mouldOf(key: Buffer, list: string): Mould {
  const secret = Buffer.concat([key, Buffer.from(list)]);
  const bytes = Buffer.concat([secret], secret.length + idBytes + markBytes);
  return { list, marked: bytes.subarray(0, -markBytes), shown: bytes.subarray(secret.length) };
}

// One-shot hash(), not HMAC: a page makes a hundred cursors, and an HMAC object for each would cost more than the rest of
// the page, and a text of its bytes, which is made faster than a buffer. The mark only detects tampering; the query decides
// what the caller may see.
function markOf(key: Buffer, list: string, place: Buffer): string {
  return hash('sha256', Buffer.concat([key, Buffer.from(list), place]), 'binary').slice(0, markBytes);
}

const idBytes = 16;
const markBytes = 8;
