import type { Issue } from '@longhaul/client';

/** What is wrong with the field of this name; null where nothing is. */
export type ErrorAt = (name: string) => string | null;

/**
 * Tells each issue of a form at its field, and what has none elsewhere.
 *
 * @returns `errorAt` for the fields; `others` tells the rest, and is called after them
 */
export function toldIssues(issues: readonly Issue[]): { errorAt: ErrorAt; others: () => readonly string[] } {
  const left = new Set(issues);
  const errorAt = (name: string) => {
    const here = issues.filter(({ path }) => path[0] === name);
    for (const issue of here) left.delete(issue);
    return here.length === 0 ? null : here.map(({ path, message }) => textOf(path.slice(1), message)).join('; ');
  };
  return { errorAt, others: () => [...left].map(({ path, message }) => textOf(path, message)) };
}

/** As the server writes an issue. */
function textOf(path: readonly string[], message: string): string {
  return path.length === 0 ? message : `${path.join('.')}: ${message}`;
}
