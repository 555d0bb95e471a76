import type { IncomingHttpHeaders } from 'node:http';

/** What a file is known by, and its size in bytes. */
interface Validators {
  /** A strong tag, in quotes. */
  etag: string;
  modified: Date;
  size: number;
}

/** Which bytes to send, both ends included. */
export interface Range {
  start: number;
  end: number;
}

/** Whether a GET or HEAD is to be answered (RFC 9110, section 13.2.2). */
export function evaluate(headers: IncomingHttpHeaders, { etag, modified }: Validators): 'send' | 'not modified' | 'failed' {
  const { 'if-match': match, 'if-none-match': noneMatch } = headers;
  const seconds = Math.floor(modified.getTime() / 1_000);
  if (match !== undefined) {
    if (!lists(match, etag, 'strong')) return 'failed';
  } else {
    const unmodifiedSince = secondsOf(headers['if-unmodified-since']);
    if (unmodifiedSince !== null && seconds > unmodifiedSince) return 'failed';
  }
  if (noneMatch !== undefined) return lists(noneMatch, etag, 'weak') ? 'not modified' : 'send';
  const modifiedSince = secondsOf(headers['if-modified-since']);
  return modifiedSince !== null && seconds <= modifiedSince ? 'not modified' : 'send';
}

/**
 * The part that a GET asks for (RFC 9110, section 14). Null for the whole file: also for several ranges, for a form that is
 * not known, and for a part of a file that is not this one any more (`If-Range`, by the strong comparison).
 */
export function rangeOf(headers: IncomingHttpHeaders, { etag, modified, size }: Validators): Range | 'unsatisfiable' | null {
  const ifRange = headers['if-range']?.toString();
  if (ifRange !== undefined && ifRange !== etag && secondsOf(ifRange) !== Math.floor(modified.getTime() / 1_000)) return null;
  const [, first = '', last = ''] = /^bytes *= *(\d*)-(\d*) *$/i.exec(headers.range ?? '') ?? [];
  if (first === '' && last === '') return null;
  if (first === '') return Number(last) === 0 || size === 0 ? 'unsatisfiable' : { start: Math.max(size - Number(last), 0), end: size - 1 };
  if (last !== '' && Number(last) < Number(first)) return null;
  if (Number(first) >= size) return 'unsatisfiable';
  return { start: Number(first), end: last === '' ? size - 1 : Math.min(Number(last), size - 1) };
}

function lists(header: string, etag: string, comparison: 'strong' | 'weak'): boolean {
  return header.split(',').some((each) => {
    const tag = each.trim();
    return tag === '*' || tag === etag || (comparison === 'weak' && tag === `W/${etag}`);
  });
}

/** Of an HTTP date; null for anything else, which is to be ignored. */
function secondsOf(date: string | undefined): number | null {
  if (date === undefined || !/ GMT$| \d{4}$/.test(date)) return null;
  const at = Date.parse(date);
  return Number.isNaN(at) ? null : Math.floor(at / 1_000);
}
