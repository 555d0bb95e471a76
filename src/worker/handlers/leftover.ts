import { z } from 'zod';
import type { JsonValue } from '../../json.ts';
import type { OutboundResponse } from '../../outbound/fetch.ts';
import { bytesIn, contentRangeOf, single } from './headers.ts';
import { isKeptFileOf } from './kept-file.ts';

/*
 * What an attempt that broke off leaves of a download: the beginning of the file, and what tells whether the source still has
 * the same one (RFC 9110, section 13.1.5). It is kept as a checkpoint, which a worker of anybody's may have written.
 */

const strongTag = /^"[\x21\x23-\x7e]*"$/;

const leftover = z.object({
  /** The sweep of files reads it, too; see unnamed-files.ts. */
  file: z.uuid({ version: 'v7' }),
  kept: z.object({ bytes: z.int().min(1), sha256: z.string(), state: z.json() }),
  /** Null if the source did not say. */
  total: z.int().min(1).nullable(),
  /** A strong entity tag, or a date. */
  validator: z.union([z.string().max(1_000).regex(strongTag), z.string().max(40).regex(/^[\w ,:+-]+$/)]),
  filename: z.string(),
  mediaType: z.string(),
});

export type Leftover = z.infer<typeof leftover>;

export function readLeftover(jobId: string, checkpoint: JsonValue): Leftover | null {
  const { data } = leftover.safeParse(checkpoint);
  return data !== undefined && isKeptFileOf(jobId, data.file) ? data : null;
}

/**
 * What tells the file from any other one that the source may have later; null if nothing does, or the source sends no ranges. A
 * date tells only if it is not that of the answer: the file may change twice within its second (section 8.8.2.2).
 */
export function validatorOf({ headers }: OutboundResponse): string | null {
  if (single(headers['accept-ranges'])?.trim().toLowerCase() === 'none') return null;
  const tag = single(headers['etag']);
  if (tag !== undefined && strongTag.test(tag)) return tag;
  const modified = single(headers['last-modified']) ?? '';
  return Date.parse(single(headers['date']) ?? '') - Date.parse(modified) >= 1_000 ? modified : null;
}

/** Where the rest begins. One byte at least, because nothing is no range. */
export function restFrom({ kept: { bytes }, total }: Leftover): number {
  return total === null ? bytes : Math.min(bytes, total - 1);
}

/** Asks for the rest, or for the whole file if it is another one. */
export function askingForRest(left: Leftover): Record<string, string> {
  return { range: `bytes=${restFrom(left)}-`, 'if-range': left.validator };
}

/** Whether an answer holds the rest, of the same file. */
export function holdsRest(response: OutboundResponse, left: Leftover): boolean {
  const range = response.status === 206 ? contentRangeOf(response) : null;
  if (range === null || range.first !== restFrom(left) || range.last !== range.size - 1) return false;
  const { headers } = response;
  const length = bytesIn(single(headers['content-length']));
  const tag = single(headers['etag']);
  return (
    range.size === (left.total ?? range.size) &&
    (length ?? range.size - range.first) === range.size - range.first &&
    (tag === undefined || !strongTag.test(left.validator) || tag === left.validator)
  );
}
