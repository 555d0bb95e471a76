/** The content of a lease token: the job, and the secret generated when its attempt was claimed. */
export interface LeaseRef {
  jobId: string;
  token: string;
}

const prefix = 'lease_';

/** Encodes the token for workers: `lease_` and 43 opaque characters. */
export function encodeLeaseToken({ jobId, token }: LeaseRef): string {
  return prefix + Buffer.from((jobId + token).replaceAll('-', ''), 'hex').toString('base64url');
}

/** Returns null if the text is not a lease token. */
export function decodeLeaseToken(text: string): LeaseRef | null {
  if (!text.startsWith(prefix)) return null;
  const hex = Buffer.from(text.slice(prefix.length), 'base64url').toString('hex');
  if (hex.length !== 64 || encodeHex(hex) !== text) return null;
  return { jobId: uuid(hex.slice(0, 32)), token: uuid(hex.slice(32)) };
}

function encodeHex(hex: string): string {
  return prefix + Buffer.from(hex, 'hex').toString('base64url');
}

function uuid(hex: string): string {
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}
