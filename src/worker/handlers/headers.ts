import type { OutboundResponse } from '../../outbound/fetch.ts';

export function single(header: string | string[] | undefined): string | undefined {
  return Array.isArray(header) ? header[0] : header;
}

/** Null if it is not a number of bytes. */
export function bytesIn(digits = ''): number | null {
  return /^\d{1,15}$/.test(digits) ? Number(digits) : null;
}

/** The range that a 206 holds, and the size of the whole file. Null if it holds no single range, or does not know the size. */
export function contentRangeOf({ headers }: OutboundResponse): { first: number; last: number; size: number } | null {
  const [, first, last, size] = (/^bytes (\d+)-(\d+)\/(\d+)$/i.exec(single(headers['content-range']) ?? '') ?? []).map(bytesIn);
  return first == null || last == null || size == null ? null : { first, last, size };
}
