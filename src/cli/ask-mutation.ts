import type { Client, Limits } from '@longhaul/client';

/** For the union of a mutation whose input cannot be invalid: a fragment on what is no member of it is refused. */
export const refused = '... on UserError { code message }';

/** For the union of every other mutation. */
export const failed = `${refused} ... on ValidationError { issues { path message } }`;

/** Sends a mutation of one field and unwraps its union. @throws LonghaulError */
export async function askMutation<Payload extends object>(client: Client, document: string, input: object, limits?: Limits): Promise<Payload> {
  const [{ unwrap }, data] = await Promise.all([import('@longhaul/client'), client.query<Record<string, Payload | null>>(document, { input }, limits)]);
  return unwrap<Payload>(Object.values(data)[0]);
}
