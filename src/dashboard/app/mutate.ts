import { unwrap } from '@longhaul/client';
import { query, type TypedDocument } from './api.ts';

/**
 * Runs a document of one mutation and unwraps its union. The document selects `... on UserError { code message }`, and, where its input is
 * filled in by hand, `... on ValidationError { issues { path message } }`.
 *
 * @returns its payload
 * @throws LonghaulError, also for what it was refused for: `code`, `message`, `issues`
 */
export async function mutate<Answer extends object, Variables extends object>(document: TypedDocument<Record<string, Answer | null>, Variables>, variables: Variables) {
  const [answer] = Object.values(await query(document, variables));
  return unwrap(answer);
}
