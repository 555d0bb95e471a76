import { createHash, timingSafeEqual } from 'node:crypto';
import { TransferError } from './transfer-errors.ts';

/** The algorithms of Upload-Checksum, by which a piece is checked. tus demands SHA-1. */
export const checksumAlgorithms = ['sha1', 'sha256', 'sha512', 'md5'] as const;

export interface Checksum {
  algorithm: (typeof checksumAlgorithms)[number];
  digest: Buffer;
}

/** What a request brings of a file. */
export interface Piece {
  body: AsyncIterable<Uint8Array>;
  /** Where it begins; null for the whole file, from its beginning. */
  offset: number | null;
  /** How many bytes come, where the request says so. */
  length: number | null;
  /** The size of the whole file, where the request says so. */
  size: number | null;
  /** Of the piece. Nothing of it counts if it is another. */
  checksum: Checksum | null;
}

/** The body of a piece, which fails at its end if its checksum is another. */
export async function* checked({ body, checksum }: Pick<Piece, 'body' | 'checksum'>): AsyncGenerator<Uint8Array, void> {
  if (checksum === null) return yield* body;
  const hash = createHash(checksum.algorithm);
  for await (const chunk of body) {
    hash.update(chunk);
    yield chunk;
  }
  const digest = hash.digest();
  if (digest.byteLength === checksum.digest.byteLength && timingSafeEqual(digest, checksum.digest)) return;
  throw new TransferError('CHECKSUM_MISMATCH', 'What came has another checksum than Upload-Checksum says. Nothing of it was kept: send it again.');
}
