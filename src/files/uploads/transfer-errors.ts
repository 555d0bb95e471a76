/** Why a piece of an upload is refused, by the code that its sender sees, with the status of the answer. */
const transferErrors = {
  BAD_USER_INPUT: 400,
  FORBIDDEN: 403,
  NOT_FOUND: 404,
  TIMEOUT: 408,
  OFFSET_CONFLICT: 409,
  ALREADY_COMPLETE: 409,
  IN_USE: 409,
  EXPIRED: 410,
  // Not 409, after which clients of tus try again.
  LEASE_LOST: 410,
  PRECONDITION_FAILED: 412,
  PAYLOAD_TOO_LARGE: 413,
  QUOTA_EXCEEDED: 413,
  UNSUPPORTED_MEDIA_TYPE: 415,
  LOCKED: 423,
  // Of the checksum extension of tus.
  CHECKSUM_MISMATCH: 460,
  UNAVAILABLE: 503,
  INSUFFICIENT_STORAGE: 507,
} as const;

export type TransferCode = keyof typeof transferErrors;

/** A request to an upload's URL that is refused. Its sender sees the code and the message. */
export class TransferError extends Error {
  readonly code: TransferCode;
  /** How much of the upload there is, where that was known. */
  readonly offset: number | null;

  constructor(code: TransferCode, message: string, { offset = null, cause }: { offset?: number | null; cause?: unknown } = {}) {
    super(message, { cause });
    this.name = 'TransferError';
    this.code = code;
    this.offset = offset;
  }

  get status(): number {
    return transferErrors[this.code];
  }
}

export const goneErrors = {
  NOT_FOUND: () => new TransferError('NOT_FOUND', 'There is no such upload any more. Ask for a new one with createUpload.'),
  EXPIRED: () => new TransferError('EXPIRED', 'This upload has expired. Ask for a new one with createUpload.'),
  LEASE_LOST: () => new TransferError('LEASE_LOST', 'The attempt whose result this is has ended, and the upload with it. Stop working on it.'),
} as const;

/** Nothing came of the body for too long. */
export function tooSlow(): TransferError {
  return new TransferError('TIMEOUT', 'Nothing of the file came for a minute. Ask with HEAD how far it is, and send the rest.');
}

/** This process stops, or could not be asked in time. */
export function stopping(): TransferError {
  return new TransferError('UNAVAILABLE', 'This process stops. Ask with HEAD how far the upload is, and send the rest.');
}

/** The store does not answer. */
export function storeAway(cause: unknown): TransferError {
  return new TransferError('UNAVAILABLE', 'The store of the files does not answer now. Ask with HEAD later how far the upload is, and send the rest.', { cause });
}

/** Another request goes on with the upload. */
export function takenOver(): TransferError {
  return new TransferError('LOCKED', 'Another request sends this upload now, and goes on with it. Ask with HEAD how far it is.');
}
