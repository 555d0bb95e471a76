import type { Client, Limits } from '@longhaul/client';
import { CommandError } from './command-error.ts';

/** What every failure of a mutation tells; selected by documents as `failed`. */
interface Refusal {
  code: string;
  message: string;
  issues?: { path: string[]; message: string }[];
}

/** For the union of a mutation. */
export const failed = '... on UserError { code message } ... on ValidationError { issues { path message } }';

/** Sends a mutation of one field and unwraps its union. @throws CommandError with what the server has against it */
export async function askMutation<Payload extends object>(client: Client, document: string, input: object, limits: Limits = {}): Promise<Payload> {
  const [answer] = Object.values(await client.query<Record<string, Payload | Refusal | null>>(document, { input }, limits));
  if (answer == null) throw new CommandError('The server gave no answer to the mutation. Look at its log.');
  if (isRefusal(answer)) {
    // The sentence of a refusal often has all of them.
    const more = (answer.issues ?? []).filter(({ message }) => !answer.message.includes(message)).map(({ path, message }) => `  ${path.join('.')}: ${message}`);
    throw new CommandError([answer.message, ...more].join('\n'));
  }
  return answer;
}

function isRefusal(answer: object): answer is Refusal {
  return 'code' in answer && 'message' in answer;
}
