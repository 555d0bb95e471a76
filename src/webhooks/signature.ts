import { createHmac } from 'node:crypto';
import { Webhook } from 'standardwebhooks';

/**
 * The Standard Webhooks headers. `webhook-id` is the delivery's id and stays the same for every try, so that a receiver
 * can recognise duplicates.
 *
 * @param secrets all valid secrets, newest first. Each one signs.
 * @param at the time of this try. Receivers refuse old signatures.
 */
export function standardHeaders(
  deliveryId: string,
  body: string,
  { secrets, at }: { secrets: readonly string[]; at: Date },
): Record<string, string> {
  const signatures = secrets.map((secret) => new Webhook(secret).sign(deliveryId, at, body));
  return {
    'webhook-id': deliveryId,
    'webhook-timestamp': String(epochSeconds(at)),
    'webhook-signature': signatures.join(' '),
  };
}

/** HMAC-SHA256 in hex, as older APIs sign. The key is the secret as text, `whsec_` included. */
export function hexSignature(secret: string, text: string): string {
  return createHmac('sha256', secret).update(text).digest('hex');
}

export function epochSeconds(at: Date): number {
  return Math.floor(at.getTime() / 1_000);
}
