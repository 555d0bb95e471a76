/** An idempotency key for one thing that somebody does, so that a lost answer does not do it twice. Not randomUUID: pages without TLS lack it. */
export function newRequestKey(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('');
}
