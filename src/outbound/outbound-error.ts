type OutboundErrorCode = 'ADDRESS_REFUSED' | 'NO_ADDRESS' | 'BAD_URL' | 'TOO_MANY_REDIRECTS' | 'UNREACHABLE' | 'TIMEOUT';

/** Why an outbound request failed. The message names the host, but never the path, the query or a resolved address. */
export class OutboundError extends Error {
  readonly code: OutboundErrorCode;

  constructor(code: OutboundErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
    this.code = code;
  }
}

/**
 * The name does not exist, or all its addresses are private. One error for both: otherwise anybody could find out which names
 * an internal network has.
 */
export class NoPublicAddressError extends OutboundError {
  constructor(host: string) {
    super(
      'NO_ADDRESS',
      `${host} has no public address. Check the name, or ask the operator to add a private host to OUTBOUND_ALLOW.`,
    );
  }
}

/** The address, given as such, is not allowed. */
export class BlockedAddressError extends OutboundError {
  constructor(host: string) {
    super(
      'ADDRESS_REFUSED',
      `${host} is not a public address. Use a public URL, or ask the operator to add the host to OUTBOUND_ALLOW.`,
    );
  }
}

const timeoutCodes = new Set([
  'UND_ERR_CONNECT_TIMEOUT',
  'UND_ERR_HEADERS_TIMEOUT',
  'UND_ERR_BODY_TIMEOUT',
  'ETIMEDOUT',
]);

/** Converts an error of undici, the socket or a response body. Returns an OutboundError unchanged. */
export function toOutboundError(error: unknown, host: string): OutboundError {
  if (error instanceof OutboundError) return error;
  const code = codeOf(error);
  if (code !== null && timeoutCodes.has(code)) {
    return new OutboundError('TIMEOUT', `${host} took too long to answer. Try again later.`, { cause: error });
  }
  const reason = code === null ? '' : ` (${code})`;
  const message = `${host} cannot be reached${reason}. Check the host and its certificate, then try again.`;
  return new OutboundError('UNREACHABLE', message, { cause: error });
}

/** The error code of a Node or undici error, or of its cause. */
export function codeOf(error: unknown): string | null {
  if (!(error instanceof Error)) return null;
  if ('code' in error && typeof error.code === 'string') return error.code;
  // It holds one error for each address tried.
  if (error instanceof AggregateError) return codeOf(error.errors[0]);
  return codeOf(error.cause);
}
