import { createHmac } from 'node:crypto';
import { Webhook } from 'standardwebhooks';
import type { Try } from './tries.ts';
import { vidocuEvent } from './vidocu-payload.ts';

/**
 * The headers that say whose the body is. Every delivery is signed after Standard Webhooks, under the delivery's own id,
 * which stays the same at every try and at every redelivery, so that a receiver can tell what it has had already; with
 * each secret that is valid, the newest first. A dialect with a signature of its own has that besides, by the newest
 * secret alone: its header has room for one.
 *
 * @param at of this try; the signature holds for it, and receivers refuse old ones
 */
export function signatureHeaders(one: Try, body: string, at: Date): Record<string, string> {
  return { ...standardHeaders(one, body, at), ...dialectHeaders(one, body, at) };
}

function standardHeaders({ deliveryId, secrets }: Try, body: string, at: Date): Record<string, string> {
  const signatures = secrets.map((secret) => new Webhook(secret).sign(deliveryId, at, body));
  return {
    'webhook-id': deliveryId,
    'webhook-timestamp': String(epochSeconds(at)),
    'webhook-signature': signatures.join(' '),
  };
}

function dialectHeaders({ job, event, number, secrets: [secret] }: Try, body: string, at: Date): Record<string, string> {
  switch (job.dialect) {
    case 'VIDOCU': {
      const timestamp = String(epochSeconds(at));
      return {
        'X-Vidocu-Event': vidocuEvent(event, job),
        'X-Vidocu-Timestamp': timestamp,
        'X-Vidocu-Delivery-Attempt': String(number),
        'X-Vidocu-Signature': `sha256=${hmac(secret, `${timestamp}.${body}`)}`,
      };
    }
    case 'VIDEOCONDUIT':
      return { 'X-VideoConduit-Signature': hmac(secret, body) };
    case 'NATIVE':
    case 'VYDRA':
    case 'REVID':
      return {};
  }
}

/** HMAC-SHA256 in hex. The key is the secret's text, `whsec_` included, as these vendors use theirs. */
function hmac(secret: string, text: string): string {
  return createHmac('sha256', secret).update(text).digest('hex');
}

function epochSeconds(at: Date): number {
  return Math.floor(at.getTime() / 1_000);
}
