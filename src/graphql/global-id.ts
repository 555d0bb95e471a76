import { NotFoundError } from '../errors.ts';

/** The types that have a global id, and the prefix that tells them apart. */
const prefixes = {
  Job: 'job_',
  Workspace: 'ws_',
  CreditTransaction: 'credit_',
  WebhookDelivery: 'delivery_',
  ApiKey: 'key_',
} as const;

export type NodeType = keyof typeof prefixes;

const types = Object.keys(prefixes).filter((name): name is NodeType => name in prefixes);
const uuidForm = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** Opaque to clients; the same in every query, mutation and subscription. */
export function toGlobalId(type: NodeType, uuid: string): string {
  return prefixes[type] + uuid;
}

/** What a global id names; null for what is none. */
export function parseGlobalId(id: string): { type: NodeType; uuid: string } | null {
  const type = types.find((name) => id.startsWith(prefixes[name]));
  if (type === undefined) return null;
  const uuid = id.slice(prefixes[type].length);
  return uuidForm.test(uuid) ? { type, uuid } : null;
}

/** The UUID in a global id of this type, or the plain UUID itself; null for an id that can name nothing. */
export function parseId(type: NodeType, id: string): string | null {
  const lower = id.toLowerCase();
  if (uuidForm.test(lower)) return lower;
  const parsed = parseGlobalId(id);
  return parsed?.type === type ? parsed.uuid : null;
}

/** What an error calls them. */
const nouns: Record<NodeType, string> = {
  Job: 'Job',
  Workspace: 'Workspace',
  CreditTransaction: 'Credit transaction',
  WebhookDelivery: 'Webhook delivery',
  ApiKey: 'API key',
};

/** As `parseId`, for an id that must name something. Throws NotFoundError. */
export function requireId(type: NodeType, id: string): string {
  const uuid = parseId(type, id);
  if (uuid === null) throw new NotFoundError(nouns[type]);
  return uuid;
}
