import { createHash } from 'node:crypto';
import { z } from 'zod';
import { expecting } from '../../input.ts';
import { isFitName } from '../fit-name.ts';
import { normalType } from '../media-type.ts';

/** What is to be uploaded. */
export interface UploadRequest {
  /** 1 to 255 characters, without a path, control characters or marks that change the direction of text. */
  filename: string;
  /** At most 200 characters, no range and no multipart, with parameters in ASCII. application/octet-stream by default. */
  mediaType?: string | null | undefined;
  /** At most MAX_ARTIFACT_BYTES. */
  bytes?: number | null | undefined;
  /** 64 hexadecimal digits. */
  sha256?: string | null | undefined;
}

const filenameError = expecting('a file name without a path, of 1 to 255 characters, none of which is invisible and changes lines or directions');
const mediaTypeError = expecting('one media type such as video/mp4, at most 200 characters, no range such as video/* and no multipart, with parameters in ASCII; leave it out where it is not known');
const sha256OfNothing = createHash('sha256').digest('hex');
const sha256Error = expecting('a SHA-256: 64 hexadecimal digits');

/** Checks an UploadRequest. */
export function uploadRequest({ maxBytes }: { maxBytes: number }) {
  const bytesError = expecting(`a number of bytes from 0 to ${maxBytes}, the limit for a file`);
  return z.object({
    filename: z.string({ error: filenameError }).refine((name) => isFitName(name, 255), { error: filenameError }),
    mediaType: z.string({ error: mediaTypeError }).refine((type) => type.length <= 200 && normalType(type) !== null, { error: mediaTypeError }).nullish(),
    bytes: z.int({ error: bytesError }).min(0, { error: bytesError }).max(maxBytes, { error: bytesError }).nullish(),
    sha256: z.string({ error: sha256Error }).regex(/^[0-9a-f]{64}$/i, { error: sha256Error }).nullish(),
  }).refine(({ bytes, sha256 }) => bytes !== 0 || sha256 == null || sha256.toLowerCase() === sha256OfNothing, {
    path: ['sha256'],
    error: `a file of no bytes has the SHA-256 ${sha256OfNothing}`,
  });
}
