import { LonghaulError } from '../../errors.ts';

/** The source exceeds the size limit. */
export class FileTooLargeError extends Error {
  readonly maxBytes: number;

  constructor(maxBytes: number) {
    super(`The file is larger than the limit of ${maxBytes} bytes. Use a smaller one.`);
    this.name = 'FileTooLargeError';
    this.maxBytes = maxBytes;
  }
}

/** A file could not be written, because its store or its quota is full, or the store only reads. */
export class NoRoomError extends Error {
  constructor(cause: unknown) {
    super('The store of the files is full or read-only.', { cause });
    this.name = 'NoRoomError';
  }
}

/** What a file system says then: one that has found an error, or was mounted again, may be read-only from one moment to the next. */
const refusals = new Set(['ENOSPC', 'EDQUOT', 'EROFS']);

export function isNoRoom(error: unknown): boolean {
  return refusals.has(systemCode(error) ?? '');
}

/** The code of an error of the file system, for example ENOENT; null of any other error. */
export function systemCode(error: unknown): string | null {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : null;
}

/** What was kept of a file that is not complete is not in the store any more. The file has to be sent anew. */
export class KeptLostError extends Error {
  constructor(cause?: unknown) {
    super('What was kept of the file is not in the store any more. Begin anew.', { cause });
    this.name = 'KeptLostError';
  }
}

/** The store does not answer, or only that it cannot do it now. What was kept stays. */
export class StoreUnavailableError extends LonghaulError {
  constructor(cause: unknown) {
    super('UNAVAILABLE', 'The files cannot be reached at the moment. Try again in a few seconds.', { cause });
    this.name = 'StoreUnavailableError';
  }
}
