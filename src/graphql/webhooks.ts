import { NotFoundError } from '../errors.ts';
import type { WebhookDelivery } from '../webhooks/deliveries.ts';
import { redeliverWebhook } from '../webhooks/redeliver.ts';
import { rotateWebhookSecret } from '../workspaces/rotate-webhook-secret.ts';
import { builder } from './builder.ts';
import { parseId } from './global-id.ts';
import { RedeliverWebhookInput } from './inputs.ts';
import { WebhookDeliveryType } from './types/webhook-delivery.ts';

const RedeliverWebhookPayload = builder
  .objectRef<{ delivery: WebhookDelivery }>('RedeliverWebhookPayload')
  .implement({
    description: 'The delivery is PENDING again, and on its way.',
    fields: (t) => ({
      delivery: t.expose('delivery', { type: WebhookDeliveryType, nullable: false, description: 'As it is now.' }),
    }),
  });

const RotateWebhookSecretPayload = builder.objectRef<{ secret: string }>('RotateWebhookSecretPayload').implement({
  description: 'The old secret stays valid for 24 hours: both sign.',
  fields: (t) => ({
    secret: t.exposeString('secret', {
      nullable: false,
      description: 'Standard Webhooks form, whsec_... Shown this once.',
    }),
  }),
});

// Not with an access token: a delivery's URL may carry a secret of whoever gave it, and the secret signs for everybody.
const byKey = { $all: { anyOf: ['WRITE'], key: true } } as const;

builder.mutationFields((t) => ({
  redeliverWebhook: t.withAuth(byKey).field({
    type: RedeliverWebhookPayload,
    nullable: true,
    description:
      'WRITE. Sends a delivery again, whatever became of it: the same body and webhook-id, from the first try on.',
    errors: {
      types: [NotFoundError],
      union: { name: 'RedeliverWebhookResult', description: 'What redeliverWebhook answers.' },
    },
    args: { input: t.arg({ type: RedeliverWebhookInput, required: true, description: 'The delivery.' }) },
    resolve: async (_root, { input }, { context, viewer }) => {
      const id = parseId('WebhookDelivery', input.id);
      if (id === null) throw new NotFoundError('Webhook delivery');
      return { delivery: await redeliverWebhook(context, viewer.workspaceId, id) };
    },
  }),
  rotateWebhookSecret: t.withAuth(byKey).field({
    type: RotateWebhookSecretPayload,
    nullable: true,
    description:
      "WRITE. Gives the key's workspace a new secret that signs its webhooks. The only way to learn a secret.",
    resolve: async (_root, _args, { database, viewer }) => ({
      secret: await rotateWebhookSecret(database, viewer.workspaceId),
    }),
  }),
}));
