import { LonghaulError } from '@longhaul/client';
import { query, type Refusal, type TypedDocument } from './api.ts';

/** A mutation's answer without its refusals. */
export type Done<Answer> = Exclude<Answer, { code: string; message: string }>;

/**
 * Runs a document of one mutation and unwraps its union. The document selects `... on UserError { code message }`, and, where its input is
 * filled in by hand, `... on ValidationError { issues { path message } }`.
 *
 * @returns its payload
 * @throws LonghaulError, also for what it was refused for: `code`, `message`, `issues`
 */
export async function mutate<Answer extends object, Variables extends object>(
  document: TypedDocument<Record<string, Answer | null>, Variables>,
  variables: Variables,
): Promise<Done<Answer>> {
  const [answer] = Object.values(await query(document, variables));
  if (answer == null) throw new LonghaulError({ code: 'INTERNAL', message: 'The server gave no answer. Look whether it was done before you try again.' });
  if (isDone(answer)) return answer;
  const { code, message, issues = [] }: Partial<Refusal> = answer;
  throw new LonghaulError({
    code: code ?? 'INTERNAL',
    message: message ?? 'The server refused this.',
    issues: issues.map((issue) => ({ path: [...issue.path], message: issue.message })),
  });
}

function isDone<Answer extends object>(answer: Answer): answer is Done<Answer> {
  return !('code' in answer && 'message' in answer);
}

/** What is wrong with the part of a form's input at this path; null where nothing is. */
export function issueAt(error: unknown, ...path: string[]): string | null {
  if (!(error instanceof LonghaulError)) return null;
  return error.issues.find((issue) => path.every((part, at) => issue.path[at] === part))?.message ?? null;
}
