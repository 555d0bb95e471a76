import { z } from 'zod';
import { KeptLostError } from '../errors.ts';
import type { Kept } from '../store.ts';

/*
 * What the bucket has of a file that is not complete. Its whole parts are those of a multipart upload; the rest is an object beside,
 * because the parts of an upload have to be large, and (for R2) of one size. A row or a checkpoint holds it, which anybody's worker
 * may have written: it is checked.
 */
/** Of one upload, as S3 has it. */
export const mostParts = 10_000;

const s3State = z.object({
  /** Of the multipart upload; null before the first part. */
  upload: z.string().min(1).max(2_000).nullable(),
  /** Of each part but the last. */
  partBytes: z.int().min(1),
  /** The entity tags of its parts, in order, without quotes. */
  parts: z.array(z.string().min(1).max(200)).max(mostParts),
  /** Bytes of the last part, where it is shorter than the others: nothing follows it. */
  last: z.int().min(0),
  /** Bytes that no part holds, in an object beside. */
  tail: z.int().min(0),
  /** Whether it is an object already. */
  complete: z.boolean(),
});

export type S3State = z.infer<typeof s3State>;

/** Of a file that has not begun. Its parts are as large as its size may need. */
export function newState(maxBytes: number, usualPartBytes: number): S3State {
  const partBytes = Math.max(usualPartBytes, Math.ceil(maxBytes / mostParts));
  return { upload: null, partBytes, parts: [], last: 0, tail: 0, complete: false };
}

/** @throws KeptLostError if it is not this store's */
export function readState({ state, bytes }: Kept): S3State {
  const { data } = s3State.safeParse(state);
  if (data === undefined || (!data.complete && bytesOf(data) !== bytes)) throw new KeptLostError();
  return data;
}

export function bytesOf({ partBytes, parts, last, tail }: S3State): number {
  return last === 0 ? parts.length * partBytes + tail : (parts.length - 1) * partBytes + last;
}
