import { NotFoundError } from '../../errors.ts';
import type { WebhookDelivery } from '../../webhooks/deliveries.ts';
import { redeliverWebhook } from '../../webhooks/redeliver.ts';
import { rotateWebhookSecret } from '../../workspaces/rotate-webhook-secret.ts';
import { builder } from '../builder.ts';
import { requireId } from '../global-id.ts';
import { WebhookDeliveryType } from '../types/webhook-delivery.ts';
import { mutation } from './mutation.ts';

const RedeliverWebhookInput = builder.inputType('RedeliverWebhookInput', {
  description: 'The delivery to send again.',
  fields: (t) => ({ id: t.id({ required: true, description: "The delivery's global id." }) }),
});

const RedeliverWebhookPayload = builder
  .objectRef<{ delivery: WebhookDelivery }>('RedeliverWebhookPayload')
  .implement({
    description: 'The delivery is PENDING again and will be sent.',
    fields: (t) => ({
      delivery: t.expose('delivery', { type: WebhookDeliveryType, nullable: false, description: 'Its current state; without READ not its URL and what came back.' }),
    }),
  });

mutation('redeliverWebhook', {
  scopes: ['WRITE'],
  description: 'WRITE. Sends a delivery again, whatever its status, with the same body and webhook-id. Tries start over.',
  input: { type: RedeliverWebhookInput, description: 'The delivery.' },
  payload: RedeliverWebhookPayload,
  errors: [NotFoundError],
  resolve: async (input, { database, jobs, viewer }) => {
    const id = requireId('WebhookDelivery', input.id);
    return { delivery: await redeliverWebhook({ database, jobs }, viewer.workspaceId, id) };
  },
});

const RotateWebhookSecretPayload = builder.objectRef<{ secret: string }>('RotateWebhookSecretPayload').implement({
  description: 'For 24 hours the old secret stays valid: webhooks are signed with both.',
  fields: (t) => ({
    secret: t.exposeString('secret', {
      nullable: false,
      description: 'In the Standard Webhooks format, whsec_... Shown only this once.',
    }),
  }),
});

// Needs a key: the secret signs the webhooks of the whole workspace.
builder.mutationField('rotateWebhookSecret', (t) =>
  t.withAuth({ $all: { anyOf: ['WRITE'], key: true } }).field({
    type: RotateWebhookSecretPayload,
    nullable: true,
    description:
      "WRITE. Gives the key's workspace a new secret that signs its webhooks. There is no other way to see a secret.",
    resolve: async (_root, _args, { database, webhookSecrets, viewer }) => ({
      secret: await rotateWebhookSecret({ database, webhookSecrets }, viewer.workspaceId, viewer),
    }),
  }),
);
