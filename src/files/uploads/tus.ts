import type { FastifyRequest } from 'fastify';
import { type Checksum, checksumAlgorithms, type Piece } from './piece.ts';
import { TransferError } from './transfer-errors.ts';

/** What is spoken of https://tus.io/protocols/resumable-upload. */
export const protocol = { version: '1.0.0', extensions: ['checksum', 'creation-defer-length', 'expiration', 'termination'] } as const;

/** The answer to OPTIONS. */
export function tusHeaders(maxBytes: number): Record<string, string> {
  return {
    allow: 'OPTIONS, HEAD, PATCH, PUT, DELETE, POST',
    'tus-resumable': protocol.version,
    'tus-version': protocol.version,
    'tus-extension': protocol.extensions.join(','),
    'tus-max-size': String(maxBytes),
    'tus-checksum-algorithm': checksumAlgorithms.join(','),
  };
}

/** What a PATCH or PUT brings. @throws TransferError */
export function pieceOf({ method, headers, raw }: FastifyRequest): Piece {
  const isWhole = method === 'PUT';
  // RFC 9110, section 14.5: who sends a part would find it to be the whole file.
  if (isWhole && (headers['content-range'] !== undefined || (numberIn(headers, 'upload-offset') ?? 0) !== 0)) {
    throw new TransferError('BAD_USER_INPUT', 'PUT sends the whole file: leave out Content-Range and Upload-Offset, or send the rest with PATCH.');
  }
  if (!isWhole && headers['content-type'] !== 'application/offset+octet-stream') {
    throw new TransferError('UNSUPPORTED_MEDIA_TYPE', 'Send PATCH with Content-Type: application/offset+octet-stream.');
  }
  const offset = isWhole ? null : numberIn(headers, 'upload-offset');
  if (!isWhole && offset === null) throw new TransferError('BAD_USER_INPUT', 'Send the header Upload-Offset: where what you send begins.');
  const hasBody = headers['content-length'] !== undefined || headers['transfer-encoding'] !== undefined;
  return {
    // Not destroyed when reading ends early: the answer goes through the same socket.
    body: raw.iterator({ destroyOnReturn: false }),
    offset,
    length: hasBody ? numberIn(headers, 'content-length') : 0,
    size: isWhole ? null : numberIn(headers, 'upload-length'),
    checksum: checksumIn(headers['upload-checksum']),
  };
}

type Headers = FastifyRequest['headers'];

/** A whole number of bytes; null where the header is not given. */
function numberIn(headers: Headers, name: string): number | null {
  const text = headers[name];
  if (text === undefined) return null;
  if (typeof text === 'string' && /^\d{1,15}$/.test(text)) return Number(text);
  throw new TransferError('BAD_USER_INPUT', `${name} has to be a number of bytes.`);
}

function checksumIn(header: string | string[] | undefined): Checksum | null {
  if (header === undefined) return null;
  const [, name = '', encoded = ''] = /^([a-z0-9]+) ([A-Za-z0-9+/]+={0,2})$/.exec(String(header)) ?? [];
  const algorithm = checksumAlgorithms.find((each) => each === name);
  if (algorithm !== undefined) return { algorithm, digest: Buffer.from(encoded, 'base64') };
  throw new TransferError('BAD_USER_INPUT', `Upload-Checksum has to be one of ${checksumAlgorithms.join(', ')}, a space, and the checksum in base64.`);
}
