import { NotFoundError } from '../../errors.ts';
import type { WebhookDelivery } from '../../webhooks/deliveries.ts';
import { redeliverWebhook } from '../../webhooks/redeliver.ts';
import { rotateWebhookSecret } from '../../workspaces/rotate-webhook-secret.ts';
import { builder } from '../builder.ts';
import { requireId } from '../global-id.ts';
import { WebhookDeliveryType } from '../types/webhook-delivery.ts';
import { mutation } from './mutation.ts';

const RedeliverWebhookInput = builder.inputType('RedeliverWebhookInput', {
  description: 'A delivery to be sent again.',
  fields: (t) => ({ id: t.id({ required: true, description: "The delivery's global id." }) }),
});

const RedeliverWebhookPayload = builder
  .objectRef<{ delivery: WebhookDelivery }>('RedeliverWebhookPayload')
  .implement({
    description: 'The delivery is PENDING again, and on its way.',
    fields: (t) => ({
      delivery: t.expose('delivery', { type: WebhookDeliveryType, nullable: false, description: 'As it is now.' }),
    }),
  });

// Not with an access token: a delivery's URL may carry a secret of whoever gave it.
mutation('redeliverWebhook', {
  scopes: ['WRITE'],
  needsKey: true,
  description: 'WRITE. Sends a delivery again, whatever became of it: the same body and webhook-id, from the first try on.',
  input: { type: RedeliverWebhookInput, description: 'The delivery.' },
  payload: RedeliverWebhookPayload,
  errors: [NotFoundError],
  resolve: async (input, { database, jobs, viewer }) => {
    const id = requireId('WebhookDelivery', input.id);
    return { delivery: await redeliverWebhook({ database, jobs }, viewer.workspaceId, id) };
  },
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

// Not with an access token: the secret signs for everybody.
builder.mutationField('rotateWebhookSecret', (t) =>
  t.withAuth({ $all: { anyOf: ['WRITE'], key: true } }).field({
    type: RotateWebhookSecretPayload,
    nullable: true,
    description:
      "WRITE. Gives the key's workspace a new secret that signs its webhooks. The only way to learn a secret.",
    resolve: async (_root, _args, { database, viewer }) => ({
      secret: await rotateWebhookSecret(database, viewer.workspaceId),
    }),
  }),
);
