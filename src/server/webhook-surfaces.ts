import type { ArtifactLinks } from '../files/links.ts';
import { nativeWebhook } from '../graphql/webhook-payload.ts';
import { revidWebhook } from '../rest/revid/revid-webhook.ts';
import { videoConduitWebhook } from '../rest/videoconduit/videoconduit-webhook.ts';
import { vidocuWebhook } from '../rest/vidocu/vidocu-webhook.ts';
import { vydraWebhook } from '../rest/vydra/vydra-webhook.ts';
import type { WebhookSurfaces } from '../webhooks/surface.ts';

/** The webhook format of each API surface. */
export function webhookSurfaces(links: ArtifactLinks): WebhookSurfaces {
  return {
    NATIVE: nativeWebhook(links),
    VIDOCU: vidocuWebhook(links),
    VIDEOCONDUIT: videoConduitWebhook(links),
    VYDRA: vydraWebhook(links),
    REVID: revidWebhook(links),
  };
}
